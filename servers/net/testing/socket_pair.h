// For tests: two connected sockets without a listener. Each wait is limited to 10 s.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "servers/net/socket.h"

namespace rpycbench::net {

struct SocketPair {
  Socket left, right;

  SocketPair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) throw std::runtime_error("socketpair");
    left = Socket(ends[0], {});
    right = Socket(ends[1], {});
    for (Socket* end : {&left, &right}) end->SetTimeout(std::chrono::seconds(10));
  }
};

// Receives everything that the peer sends until it closes.
inline std::string Drain(Socket& socket) {
  std::string all;
  char buffer[65536];
  while (const std::size_t got = socket.ReceiveSome(buffer, sizeof buffer)) all.append(buffer, got);
  return all;
}

}  // namespace rpycbench::net
