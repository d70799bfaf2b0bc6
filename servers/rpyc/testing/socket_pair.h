// For tests: two connected sockets without a listener. Each wait is limited to 10 s.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

#include "servers/net/socket.h"

namespace rpycbench::rpyc {

struct SocketPair {
  net::Socket left, right;

  SocketPair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("socketpair");
    left = net::Socket(ends[0], {});
    right = net::Socket(ends[1], {});
    for (net::Socket* end : {&left, &right}) end->SetTimeout(std::chrono::seconds(10));
  }
};

}  // namespace rpycbench::rpyc
