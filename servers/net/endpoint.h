// The address of one end of a TCP connection: IPv4 or IPv6, numeric or resolved once.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace rpycbench::net {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  // Resolves `host` (a name or a numeric address) to its first address.
  // Throws std::runtime_error naming the host if there is none.
  static Endpoint Resolve(const std::string& host, std::uint16_t port);

  std::uint16_t port() const;
  // "127.0.0.1:4711", "[::1]:4711", or "?" for an empty endpoint.
  std::string ToString() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

}  // namespace rpycbench::net
