// The part every concurrency model shares: one thread that waits for connections, for the end of
// stdin (the parent is gone), for SIGTERM or SIGINT, and for children that ended.
#pragma once

#include <signal.h>

#include <functional>

#include "servers/model/session.h"
#include "servers/net/socket.h"

namespace rpycbench::model {

class AcceptLoop {
 public:
  // Blocks SIGTERM, SIGINT and SIGCHLD for this thread and those it starts, to read them from a
  // descriptor instead. Construct it before the first thread. Throws std::system_error.
  AcceptLoop();
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;
  ~AcceptLoop();

  struct Events {
    std::function<void(net::Socket)> on_connection;
    std::function<void()> on_child_exit = [] {};
  };

  // Returns when stdin ends, unless the limits say otherwise, or a stop signal arrives.
  void Run(net::Listener& listener, const Limits& limits, const Events& events);

  // For a forked child: gives back the signal mask from before the constructor.
  void RestoreSignals() const;

 private:
  int signal_descriptor_ = -1;
  sigset_t previous_mask_;
};

}  // namespace rpycbench::model
