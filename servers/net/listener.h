// A listening socket (TCP or Unix-domain) and the io_context that waits for its connections.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstdint>

#include "servers/net/io_context.h"
#include "servers/net/socket.h"

namespace rpycbench::net {

class Listener {
 public:
  // Binds and listens with the largest backlog. Port 0, or an empty Unix-domain name, picks a free
  // address. A Unix-domain path that no server listens on any more is bound anew. Accepted
  // connections get the policy. Throws Error.
  explicit Listener(const Endpoint& address, const SocketPolicy& policy = {});
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  OneThreadContext& context() { return context_; }
  int descriptor() { return acceptor_.native_handle(); }
  std::uint16_t port() const { return local_.port(); }
  // Returns the bound address.
  const Endpoint& address() const { return local_; }

  // Calls `handler(error)` once, from the context, when a connection may be waiting.
  template <class Handler>
  void AsyncWait(Handler handler) {
    acceptor_.async_wait(Acceptor::wait_read, std::move(handler));
  }
  // Accepts one waiting connection and gives it `timeout` as its limit for each wait. Returns a
  // closed socket if no connection was waiting after all. Throws Error if the process is out of
  // descriptors or memory.
  Socket Accept(std::chrono::milliseconds timeout);
  // Makes all sockets accepted from now on suspend coroutines of the group instead of blocking.
  void AcceptFor(Coroutines& group) { group_ = &group; }
  // Stops listening and removes the path of a Unix-domain address.
  void Close();

 private:
  using Acceptor =
      asio::basic_socket_acceptor<asio::generic::stream_protocol, asio::io_context::executor_type>;

  OneThreadContext context_;
  Acceptor acceptor_{context_};
  Coroutines* group_ = nullptr;
  SocketPolicy policy_;
  Endpoint local_;
};

}  // namespace rpycbench::net
