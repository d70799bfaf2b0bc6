// The address of one end of a connection: IPv4 or IPv6, numeric or resolved once, or a Unix-domain
// name. Such names are abstract ones (unix(7)): no file stands for them, so none is left behind.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace rpycbench::net {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  // Resolves `host` (a name or a numeric address) to its first address. "unix:<name>" is a
  // Unix-domain name of up to 100 letters, digits, '_', '.', '/' and '-', and needs no port;
  // "unix:" is what a listener that wants a free one binds.
  // Throws std::runtime_error naming the host if there is no such address.
  static Endpoint Resolve(const std::string& host, std::uint16_t port);

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  // 0 if there is none.
  std::uint16_t port() const;
  // What Resolve made it from, if that was numeric: "127.0.0.1", "::1", "unix:name".
  std::string host() const;
  // "127.0.0.1:4711", "[::1]:4711", "unix:name", or "?" for an empty endpoint.
  std::string ToString() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

}  // namespace rpycbench::net
