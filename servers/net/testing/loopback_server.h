// For tests: serves connections inside the test's own process, each on its own thread. A test can
// thus drive a session byte by byte and wait for its end.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "servers/net/listener.h"

namespace rpycbench::net {

class LoopbackServer {
 public:
  using Serve = std::function<void(Socket&)>;

  explicit LoopbackServer(Serve serve,
                          std::chrono::milliseconds io_timeout = std::chrono::seconds(10))
      : serve_(std::move(serve)),
        io_timeout_(io_timeout),
        listener_(Endpoint::Resolve("127.0.0.1", 0)),
        accepting_([this] { Accept(); }) {}

  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer() { Join(); }

  const Endpoint& endpoint() const { return listener_.address(); }
  // Returns a new connection to the server. Only a hanging server exceeds its limit of 20 s for
  // each wait.
  Socket Connect() const { return Socket::Connect(endpoint(), std::chrono::seconds(20)); }

  // Waits until every session has ended. Their clients must have closed.
  void Join() {
    if (!accepting_.joinable()) return;
    stopping_ = true;
    const Socket wake = Connect();
    accepting_.join();
    for (std::thread& session : sessions_) session.join();
  }

 private:
  void Accept() {
    for (;;) {
      pollfd waiting{listener_.descriptor(), POLLIN, 0};
      ::poll(&waiting, 1, -1);
      Socket socket = listener_.Accept(io_timeout_);
      if (stopping_) return;
      if (!socket.is_open()) continue;
      sessions_.emplace_back([this, owned = std::move(socket)]() mutable {
        Socket session = std::move(owned);
        serve_(session);
      });
    }
  }

  Serve serve_;
  std::chrono::milliseconds io_timeout_;
  Listener listener_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> sessions_;
  std::thread accepting_;
};

}  // namespace rpycbench::net
