// The accept loop of every concurrency model. One thread waits for connections, for the end of
// stdin (the parent is gone), for SIGTERM or SIGINT, and for children that have exited.
#pragma once

#include <signal.h>

#include <functional>

#include "servers/model/session.h"
#include "servers/net/descriptor.h"
#include "servers/net/socket.h"

namespace rpycbench::model {

// Reports that a connection ends at once, because as many as allowed are open.
void LogRefusal(const net::Socket& socket, const Limits& limits);

class AcceptLoop {
 public:
  // Blocks SIGTERM, SIGINT and SIGCHLD in this thread and the threads it starts, because the loop
  // reads them from a descriptor. Construct it before the first thread. Throws std::system_error.
  AcceptLoop();

  struct Events {
    std::function<void(net::Socket)> on_connection;
    std::function<void()> on_child_exit = [] {};
  };

  // Serves events until a stop signal arrives or stdin ends. The limits can exclude the end of
  // stdin. Throws std::system_error if poll fails.
  void Run(net::Listener& listener, const Limits& limits, const Events& events);

  // Restores the signal mask from before the constructor, in a forked child.
  void RestoreSignals() const;

 private:
  net::Descriptor signals_;
  sigset_t previous_mask_;
};

}  // namespace rpycbench::model
