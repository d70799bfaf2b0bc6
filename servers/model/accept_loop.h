// The accept loop of every concurrency model. One thread waits for connections, for the end of
// stdin (the parent is gone), for SIGTERM or SIGINT, and for children that have exited. It runs the
// listener's context, in which other work may wait as well.
#pragma once

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "servers/model/session.h"
#include "servers/net/listener.h"

namespace rpycbench::model {

// Reports that a connection ends at once, because as many as allowed are open.
void LogRefusal(const net::Socket& socket, const Limits& limits);

class AcceptLoop {
 public:
  // Takes SIGTERM, SIGINT and SIGCHLD from now on. Throws std::system_error.
  AcceptLoop(net::Listener& listener, const Limits& limits);

  struct Events {
    std::function<void(net::Socket)> on_connection;
    std::function<void()> on_child_exit = [] {};
  };

  // Serves events until a stop signal arrives or stdin ends, then closes the listener. The limits
  // can exclude the end of stdin. Throws std::system_error if waiting fails.
  void Run(const Events& events);

 private:
  void AwaitConnection();
  void AwaitSignal();
  void AwaitEndOfStdin();
  bool StdinHasEnded();
  void Stop() { listener_.context().stop(); }

  net::Listener& listener_;
  const Limits& limits_;
  const Events* events_ = nullptr;
  net::asio::signal_set signals_;
  net::asio::posix::stream_descriptor stdin_;
  net::asio::steady_timer pause_;
  std::array<char, 256> ignored_;
};

}  // namespace rpycbench::model
