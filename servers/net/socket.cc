#include "servers/net/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

namespace rpycbench::net {
namespace {

// The kernel's name for "the time limit passed" on a blocking socket is EAGAIN.
int TimeoutAware(int error) { return error == EAGAIN || error == EWOULDBLOCK ? ETIMEDOUT : error; }

void SetNoDelay(int descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void SetTimeouts(int descriptor, std::chrono::milliseconds timeout) {
  timeval limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = (timeout.count() % 1000) * 1000;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

Error::Error(std::error_code code, std::string_view operation, const Endpoint& peer)
    : std::system_error(code, std::string(operation) + " " + peer.ToString()) {}

EndOfStream::EndOfStream(std::string_view operation, const Endpoint& peer)
    : std::runtime_error(std::string(operation) + " " + peer.ToString() +
                         ": the peer closed the connection") {}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_sent_(other.bytes_sent_),
      bytes_received_(other.bytes_received_),
      peer_(other.peer_) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    Close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    bytes_sent_ = other.bytes_sent_;
    bytes_received_ = other.bytes_received_;
    peer_ = other.peer_;
  }
  return *this;
}

Socket Socket::Connect(const Endpoint& peer, std::chrono::milliseconds timeout) {
  const int descriptor = ::socket(peer.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw Error({errno, std::system_category()}, "create a socket for", peer);
  Socket socket(descriptor, peer);
  SetTimeouts(descriptor, timeout);  // SO_SNDTIMEO bounds connect() too
  SetNoDelay(descriptor);
  if (::connect(descriptor, peer.get(), peer.size) != 0) {
    // An interrupted or timed-out connect reports EINPROGRESS; it is not finished.
    socket.Fail(errno == EINPROGRESS ? ETIMEDOUT : errno, "connect to");
  }
  return socket;
}

void Socket::Fail(int error, std::string_view operation) const {
  throw Error({TimeoutAware(error), std::system_category()}, operation, peer_);
}

void Socket::SetTimeout(std::chrono::milliseconds timeout) { SetTimeouts(descriptor_, timeout); }

void Socket::RearmQuickAck() {
  const int on = 1;
  setsockopt(descriptor_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

std::size_t Socket::ReceiveSome(void* into, std::size_t size) {
  for (;;) {
    const ssize_t got = ::recv(descriptor_, into, size, 0);
    if (got >= 0) {
      bytes_received_ += static_cast<std::size_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) Fail(errno, "receive from");
  }
}

std::size_t Socket::ReceiveSome(std::span<iovec> into) {
  msghdr message{};
  message.msg_iov = into.data();
  message.msg_iovlen = into.size();
  for (;;) {
    const ssize_t got = ::recvmsg(descriptor_, &message, 0);
    if (got >= 0) {
      bytes_received_ += static_cast<std::size_t>(got);
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) Fail(errno, "receive from");
  }
}

void Socket::ReceiveExactly(void* into, std::size_t size) {
  char* position = static_cast<char*>(into);
  while (size > 0) {
    const std::size_t got = ReceiveSome(position, size);
    if (got == 0) throw EndOfStream("receive from", peer_);
    position += got;
    size -= got;
  }
}

void Socket::SendAll(const void* data, std::size_t size) {
  const char* position = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(descriptor_, position, size, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      Fail(errno, "send to");
    }
    bytes_sent_ += static_cast<std::size_t>(sent);
    position += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

void Socket::SendAll(std::span<iovec> blocks) {
  while (!blocks.empty()) {
    msghdr message{};
    message.msg_iov = blocks.data();
    message.msg_iovlen = std::min<std::size_t>(blocks.size(), IOV_MAX);
    const ssize_t sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      Fail(errno, "send to");
    }
    bytes_sent_ += static_cast<std::size_t>(sent);
    std::size_t left = static_cast<std::size_t>(sent);
    while (!blocks.empty() && left >= blocks.front().iov_len) {
      left -= blocks.front().iov_len;
      blocks = blocks.subspan(1);
    }
    if (left > 0) {
      blocks.front().iov_base = static_cast<char*>(blocks.front().iov_base) + left;
      blocks.front().iov_len -= left;
    }
  }
}

void Socket::ShutdownSend() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::ShutdownBoth() { ::shutdown(descriptor_, SHUT_RDWR); }

void Socket::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Socket::CloseAfterPeer() noexcept {
  if (descriptor_ < 0) return;
  ShutdownSend();
  timeval limit{};
  socklen_t size = sizeof limit;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, &size);
  using Clock = std::chrono::steady_clock;
  const auto end =
      Clock::now() + std::chrono::seconds(limit.tv_sec) + std::chrono::microseconds(limit.tv_usec);
  // Bounded in bytes, too: a peer that sends for ever is not worth waiting for.
  char ignored[4096];
  for (int i = 0; i < 1024; ++i) {
    if (::recv(descriptor_, ignored, sizeof ignored, 0) <= 0 || Clock::now() > end) break;
  }
  Close();
}

Listener::Listener(const Endpoint& address) : local_(address) {
  descriptor_ = ::socket(address.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto fail = [&](std::string_view operation) {
    const int error = errno;
    Close();
    throw Error({error, std::system_category()}, operation, address);
  };
  if (descriptor_ < 0) fail("create a listener for");
  const int on = 1;
  setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor_, address.get(), address.size) != 0) fail("bind");
  if (::listen(descriptor_, SOMAXCONN) != 0) fail("listen on");
  local_.size = sizeof local_.address;
  if (::getsockname(descriptor_, local_.get(), &local_.size) != 0) fail("read the port of");
}

Socket Listener::Accept(std::chrono::milliseconds timeout) {
  Endpoint peer;
  peer.size = sizeof peer.address;
  const int descriptor = ::accept4(descriptor_, peer.get(), &peer.size, SOCK_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      throw Error({error, std::system_category()}, "accept on", local_);
    }
    return Socket();  // the connection went away again, or another accept took it
  }
  SetNoDelay(descriptor);
  SetTimeouts(descriptor, timeout);
  return Socket(descriptor, peer);
}

void Listener::Close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace rpycbench::net
