// What a concurrency model runs, once for each connection, without knowing its protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "servers/net/socket.h"

namespace rpycbench::model {

// Serves one connection until it ends. Reports what goes wrong by itself; lets no exception out.
using Session = std::function<void(net::Socket&)>;

// Sessions that have not ended by then, after the server was told to stop, end with the process.
inline constexpr std::chrono::seconds kStopLimit{2};

struct Limits {
  std::chrono::milliseconds io_timeout{30'000};  // the longest wait without progress, per socket
  std::size_t max_connections = 16'384;          // at once; further ones are closed at once
  bool ends_with_stdin = true;    // as every server does whose parent holds its stdin
  std::size_t pool_threads = 20;  // of the model threadpool; as many as rpyc's ThreadPoolServer has
};

}  // namespace rpycbench::model
