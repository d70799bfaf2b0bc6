#include "servers/net/listener.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "servers/net/system_calls.h"

namespace rpycbench::net {
namespace {

// Whether a server that has ended left this path behind. Another one could not bind it. A file that
// is no socket refuses connections as well.
bool IsLeftBehind(const Endpoint& address) {
  std::error_code unreadable;
  if (!std::filesystem::is_socket(address.path(), unreadable)) return false;
  const Descriptor descriptor = system_calls::OpenFor(address);
  system_calls::LimitWaits(descriptor.get(), std::chrono::seconds(1));
  return system_calls::Connect(descriptor.get(), address) == ECONNREFUSED;
}

}  // namespace

Listener::Listener(const Endpoint& address, const SocketPolicy& policy)
    : policy_(policy), local_(address) {
  boost::system::error_code error;
  const auto check = [&](std::string_view operation) {
    if (error) throw Error(error, operation, address);
  };
  const asio::generic::stream_protocol::endpoint endpoint(address.get(), address.size);
  Descriptor descriptor = system_calls::OpenFor(address);
  if (!descriptor.is_open()) {
    throw Error({errno, std::system_category()}, "create a listener for", address);
  }
  acceptor_.assign(endpoint.protocol(), descriptor.Release(), error);
  check("create a listener for");
  acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  check("set the options of");
  acceptor_.bind(endpoint, error);
  if (error == asio::error::address_in_use && IsLeftBehind(address)) {
    ::unlink(address.path().c_str());
    acceptor_.bind(endpoint, error);
  }
  check("bind");
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  check("listen on");
  acceptor_.non_blocking(true, error);
  check("set the options of");
  const auto bound = acceptor_.local_endpoint(error);
  check("read the address of");
  local_ = Endpoint(bound.data(), bound.size());
}

Listener::~Listener() { Close(); }

void Listener::Close() {
  if (!acceptor_.is_open()) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (!local_.path().empty()) ::unlink(local_.path().c_str());
}

Socket Listener::Accept(std::chrono::milliseconds timeout) {
  Endpoint peer;
  Descriptor descriptor = system_calls::Accept(acceptor_.native_handle(), peer);
  if (!descriptor.is_open()) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      throw Error({error, std::system_category()}, "accept on", local_);
    }
    return Socket();  // the peer has gone, or another accept was faster
  }
  Socket socket(descriptor.Release(), peer);
  socket.SetPolicy(policy_);
  if (group_ != nullptr) socket.SuspendIn(*group_);
  socket.SetTimeout(timeout);
  return socket;
}

}  // namespace rpycbench::net
