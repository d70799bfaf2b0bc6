// The session that a concurrency model runs once for each connection, without knowing its protocol.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "servers/net/listener.h"

namespace rpycbench::model {

// Serves one connection until it ends. A session reports its own errors and lets no exception out.
using Session = std::function<void(net::Socket&)>;

// The time that sessions have to end after the server was told to stop. The rest end with the
// process.
inline constexpr std::chrono::seconds kStopLimit{2};

struct Limits {
  std::chrono::milliseconds io_timeout{30'000};  // longest wait without progress, per socket
  std::size_t max_connections = 16'384;  // at once; the server closes further ones immediately
  bool ends_with_stdin = true;           // as for every server whose parent holds its stdin
  std::size_t pool_threads = 20;         // for the model threadpool; rpyc's ThreadPoolServer has 20
};

}  // namespace rpycbench::model
