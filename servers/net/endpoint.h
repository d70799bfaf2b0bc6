// The address of one end of a connection: IPv4, IPv6, or a Unix-domain address. A host name is
// resolved once. A Unix-domain address is a path in the file system, or an abstract name (unix(7)),
// which no file represents.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace rpycbench::net {

struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;

  Endpoint() = default;
  // Copies a socket address of `length` bytes.
  Endpoint(const sockaddr* source, std::size_t length);

  // Resolves `host`, a name or a numeric address, to its first address. "unix:/<path>" is a
  // Unix-domain path and "unix:<name>" an abstract name. Both have up to 100 letters, digits, '_',
  // '.', '/' and '-', and ignore `port`. A listener that binds "unix:" gets a free name. Throws
  // std::runtime_error that names the host if there is no such address.
  static Endpoint Resolve(const std::string& host, std::uint16_t port);

  bool is_unix() const { return address.ss_family == AF_UNIX; }
  // Returns the path of a Unix-domain address in the file system; empty for any other address.
  std::string path() const;
  // Returns the port, or 0 if the address has none.
  std::uint16_t port() const;
  // Returns the address without its port: "127.0.0.1", "::1", "unix:name", "unix:/tmp/path".
  // Resolve turns it back into the same address. Returns "?" for an empty endpoint.
  std::string host() const;
  // Returns "127.0.0.1:4711", "[::1]:4711", "unix:name", or "?" for an empty endpoint.
  std::string ToString() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

}  // namespace rpycbench::net
