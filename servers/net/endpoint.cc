#include "servers/net/endpoint.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cctype>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace rpycbench::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol::endpoint;

constexpr std::string_view kUnixPrefix = "unix:";

// Returns the address in the form of Asio that belongs to its family.
template <class AsioEndpoint>
AsioEndpoint As(const Endpoint& endpoint) {
  AsioEndpoint result;
  std::memcpy(result.data(), endpoint.get(),
              std::min<std::size_t>(endpoint.size, result.capacity()));
  result.resize(endpoint.size);
  return result;
}

template <class AsioEndpoint>
Endpoint From(const AsioEndpoint& endpoint) {
  return Endpoint(endpoint.data(), endpoint.size());
}

Endpoint UnixEndpoint(const std::string& name) {
  constexpr std::size_t kLongest = 100;
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_./-").find(static_cast<char>(c)) < 4;
  };
  if (name.size() > kLongest || !std::ranges::all_of(name, allowed)) {
    throw std::runtime_error("resolve " + std::string(kUnixPrefix) + name +
                             ": a name is up to 100 letters, digits, '_', '.', '/' and '-'");
  }
  // An address that ends before the name makes the kernel choose one.
  if (name.empty()) {
    sockaddr unnamed{};
    unnamed.sa_family = AF_UNIX;
    return Endpoint(&unnamed, sizeof unnamed.sa_family);
  }
  return From(Local(name.front() == '/' ? name : '\0' + name));
}

}  // namespace

Endpoint::Endpoint(const sockaddr* source, std::size_t length)
    : size(static_cast<socklen_t>(std::min(length, sizeof address))) {
  std::memcpy(&address, source, size);
}

Endpoint Endpoint::Resolve(const std::string& host, std::uint16_t port) {
  if (host.starts_with(kUnixPrefix)) return UnixEndpoint(host.substr(kUnixPrefix.size()));
  boost::system::error_code error;
  if (const auto address = asio::ip::make_address(host, error); !error) {
    return From(tcp::endpoint(address, port));
  }
  asio::io_context context;
  const auto found = tcp::resolver(context).resolve(host, std::to_string(port),
                                                    tcp::resolver::numeric_service, error);
  if (error) throw std::runtime_error("resolve " + host + ": " + error.message());
  return From(found.begin()->endpoint());
}

std::string Endpoint::path() const {
  if (!is_unix()) return {};
  const std::string name = As<Local>(*this).path();
  return name.starts_with('/') ? name : std::string();
}

std::uint16_t Endpoint::port() const {
  const bool has_port = address.ss_family == AF_INET || address.ss_family == AF_INET6;
  return has_port ? As<tcp::endpoint>(*this).port() : 0;
}

std::string Endpoint::host() const {
  if (size == 0) return "?";
  if (!is_unix()) return As<tcp::endpoint>(*this).address().to_string();
  const std::string name = As<Local>(*this).path();
  return std::string(kUnixPrefix) + (name.starts_with('\0') ? name.substr(1) : name);
}

std::string Endpoint::ToString() const {
  if (size == 0 || is_unix()) return host();
  const std::string port_text = ":" + std::to_string(port());
  return address.ss_family == AF_INET6 ? "[" + host() + "]" + port_text : host() + port_text;
}

}  // namespace rpycbench::net
