// The address of one end of a connection: IPv4, IPv6, or a Unix-domain name. A host name is
// resolved once. Unix-domain names are abstract (unix(7)), so no file represents them and none is
// left over.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace rpycbench::net {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  // Resolves `host`, a name or a numeric address, to its first address. "unix:<name>" is a
  // Unix-domain name of up to 100 letters, digits, '_', '.', '/' and '-', and ignores `port`. A
  // listener that binds "unix:" gets a free name. Throws std::runtime_error that names the host if
  // there is no such address.
  static Endpoint Resolve(const std::string& host, std::uint16_t port);

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  // Returns the port, or 0 if the address has none.
  std::uint16_t port() const;
  // Returns the address without its port: "127.0.0.1", "::1", "unix:name". Resolve turns it back
  // into the same address. Returns "?" for an empty endpoint.
  std::string host() const;
  // Returns "127.0.0.1:4711", "[::1]:4711", "unix:name", or "?" for an empty endpoint.
  std::string ToString() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

}  // namespace rpycbench::net
