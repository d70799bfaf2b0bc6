#include "servers/net/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace rpycbench::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
// The offset of an abstract name, which follows a zero byte.
constexpr std::size_t kUnixName = offsetof(sockaddr_un, sun_path) + 1;

Endpoint UnixEndpoint(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_./-").find(static_cast<char>(c)) < 4;
  };
  if (name.size() > kLongest || !std::ranges::all_of(name, allowed)) {
    throw std::runtime_error("resolve " + std::string(kUnixPrefix) + std::string(name) +
                             ": a name is up to 100 letters, digits, '_', '.', '/' and '-'");
  }
  Endpoint endpoint;
  endpoint.address.ss_family = AF_UNIX;
  std::memcpy(reinterpret_cast<char*>(&endpoint.address) + kUnixName, name.data(), name.size());
  // An address that ends before the name makes the kernel choose one.
  endpoint.size =
      name.empty() ? sizeof(sa_family_t) : static_cast<socklen_t>(kUnixName + name.size());
  return endpoint;
}

}  // namespace

Endpoint Endpoint::Resolve(const std::string& host, std::uint16_t port) {
  if (host.starts_with(kUnixPrefix))
    return UnixEndpoint(std::string_view(host).substr(kUnixPrefix.size()));
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw std::runtime_error("resolve " + host + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, &freeaddrinfo);
  Endpoint endpoint;
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.size = found->ai_addrlen;
  return endpoint;
}

std::uint16_t Endpoint::port() const {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return 0;
}

std::string Endpoint::host() const {
  char text[INET6_ADDRSTRLEN];
  if (address.ss_family == AF_INET) {
    return inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr, text,
                     sizeof text);
  }
  if (address.ss_family == AF_INET6) {
    return inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr, text,
                     sizeof text);
  }
  if (is_unix()) {
    std::string host(kUnixPrefix);
    if (size > kUnixName) {
      host.append(reinterpret_cast<const char*>(&address) + kUnixName, size - kUnixName);
    }
    return host;
  }
  return "?";
}

std::string Endpoint::ToString() const {
  if (address.ss_family == AF_INET) return host() + ":" + std::to_string(port());
  if (address.ss_family == AF_INET6) return "[" + host() + "]:" + std::to_string(port());
  return host();
}

}  // namespace rpycbench::net
