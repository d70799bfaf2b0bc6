#include "servers/net/socket.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <string>
#include <utility>

#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

// Not inlined, because a fiber may continue in another thread, whose errno has another address.
__attribute__((noinline)) int LastError() { return errno; }

// Blocking sockets report a passed time limit as EAGAIN.
int TimeoutAware(int error) { return error == EAGAIN || error == EWOULDBLOCK ? ETIMEDOUT : error; }

// Returns the kernel's counters, or all zeros if the socket is not TCP.
tcp_info InfoOf(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return info;
}

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

// Close() must run first: a fiber that waited for the descriptor has to forget it.
Socket::~Socket() { Close(); }

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  std::destroy_at(this);
  return *std::construct_at(this, std::move(other));
}

Socket Socket::Connect(const Endpoint& peer, std::chrono::milliseconds timeout,
                       const SocketPolicy& policy) {
  const int descriptor = ::socket(peer.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw Error({errno, std::system_category()}, "create a socket for", peer);
  Socket socket(descriptor, peer);
  if (InFiber()) socket.SuspendInsteadOfBlocking();
  socket.SetTimeout(timeout);  // bounds connect() too
  socket.SetPolicy(policy);
  if (::connect(descriptor, peer.get(), peer.size) != 0) {
    const int error = LastError();
    if (error != EINPROGRESS) socket.Fail(error, "connect to");
    socket.FinishConnecting();
  }
  return socket;
}

// Finishes a connect that returned EINPROGRESS. A blocking socket has then waited in vain for the
// time limit; a socket in a fiber waits here.
void Socket::FinishConnecting() const {
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  for (pollfd state{descriptor(), POLLOUT, 0};
       suspends_ && AwaitDescriptor(descriptor(), POLLOUT, timeout_);) {
    if (::poll(&state, 1, 0) == 0) continue;
    ::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
    break;
  }
  if (error != 0) Fail(error, "connect to");
}

void Socket::Fail(int error, std::string_view operation) const {
  if (error == EADDRNOTAVAIL && operation == "connect to") {
    operation =
        "get a local address and a free port (see ip_local_port_range; TIME_WAIT keeps a port "
        "for a minute) to connect to";
  }
  throw Error({TimeoutAware(error), std::system_category()}, operation, peer_);
}

void Socket::RetryOrFail(int error, short events, std::string_view operation) const {
  if (error == EINTR) return;
  const bool would_block = error == EAGAIN || error == EWOULDBLOCK;
  if (would_block && suspends_ && AwaitDescriptor(descriptor(), events, timeout_)) return;
  Fail(error, operation);
}

void Socket::SetTimeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  if (!suspends_) SetTimeouts(descriptor(), timeout);
}

void Socket::SetPolicy(const SocketPolicy& policy) {
  policy_ = policy;
  if (policy.nodelay && !peer_.is_unix()) SetNoDelay(descriptor());
}

void Socket::SuspendInsteadOfBlocking() {
  ::fcntl(descriptor(), F_SETFL, ::fcntl(descriptor(), F_GETFL) | O_NONBLOCK);
  suspends_ = true;
}

Segments Socket::segments() const {
  const tcp_info info = InfoOf(descriptor());
  return {.total = std::uint64_t{info.tcpi_data_segs_out} + info.tcpi_data_segs_in,
          .retransmits = std::uint64_t{info.tcpi_total_retrans} + info.tcpi_rcv_ooopack};
}

void Socket::RearmQuickAck() {
  if (!policy_.quick_ack || peer_.is_unix()) return;
  const int on = 1;
  setsockopt(descriptor(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void Socket::Received(std::size_t got, std::size_t asked) {
  bytes_received_ += got;
  if (!suspends_) return;
  // A receive that returns less than asked for has emptied the socket. A receive of nothing is the
  // end of the stream, which stays readable.
  drained_ = got > 0 && got < asked ? Drained(descriptor()) : Drained();
  YieldIfDue();
}

void Socket::Sent(std::size_t sent) {
  bytes_sent_ += sent;
  if (!suspends_) return;
  answer_due_ = true;
  YieldIfDue();
}

// Waits for the answer if this end has read everything and has sent something since. An earlier
// receive would be a system call in vain.
void Socket::AwaitAnswer() {
  if (!std::exchange(answer_due_, false) || !drained_.StillHolds()) return;
  if (!AwaitDescriptor(descriptor(), POLLIN, timeout_)) Fail(ETIMEDOUT, "receive from");
}

std::size_t Socket::ReceiveSome(void* into, std::size_t size) {
  AwaitAnswer();
  for (;;) {
    const ssize_t got = ::recv(descriptor(), into, size, 0);
    if (got >= 0) {
      Received(static_cast<std::size_t>(got), size);
      return static_cast<std::size_t>(got);
    }
    RetryOrFail(LastError(), POLLIN, "receive from");
  }
}

std::size_t Socket::ReceiveSome(std::span<iovec> into) {
  msghdr message{};
  message.msg_iov = into.data();
  message.msg_iovlen = into.size();
  std::size_t asked = 0;
  for (const iovec& block : into) asked += block.iov_len;
  AwaitAnswer();
  for (;;) {
    const ssize_t got = ::recvmsg(descriptor(), &message, 0);
    if (got >= 0) {
      Received(static_cast<std::size_t>(got), asked);
      return static_cast<std::size_t>(got);
    }
    RetryOrFail(LastError(), POLLIN, "receive from");
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
    const ssize_t sent = ::send(descriptor(), position, size, MSG_NOSIGNAL);
    if (sent < 0) {
      RetryOrFail(LastError(), POLLOUT, "send to");
      continue;
    }
    Sent(static_cast<std::size_t>(sent));
    position += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

void Socket::SendAll(std::span<iovec> blocks) { SendBlocks(blocks, 0); }

void Socket::SendBlocks(std::span<iovec> blocks, int flags) {
  while (!blocks.empty()) {
    msghdr message{};
    message.msg_iov = blocks.data();
    message.msg_iovlen = std::min<std::size_t>(blocks.size(), IOV_MAX);
    const ssize_t sent = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | flags);
    if (sent < 0) {
      RetryOrFail(LastError(), POLLOUT, "send to");
      continue;
    }
    Sent(static_cast<std::size_t>(sent));
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

void Socket::SendInPieces(std::span<iovec> blocks, std::size_t head) {
  std::size_t whole = 0;  // number of blocks that lie entirely in the head
  while (whole < blocks.size() && head >= blocks[whole].iov_len) head -= blocks[whole++].iov_len;
  if (whole == blocks.size()) return SendBlocks(blocks, 0);  // the message is all head
  const int flags = policy_.writes == Writes::kCorked ? MSG_MORE : 0;
  const iovec cut = blocks[whole];
  blocks[whole].iov_len = head;
  SendBlocks(blocks.first(whole + (head > 0)), flags);
  blocks[whole] = {static_cast<char*>(cut.iov_base) + head, cut.iov_len - head};
  SendBlocks(blocks.subspan(whole), 0);
}

void Socket::ShutdownSend() { ::shutdown(descriptor(), SHUT_WR); }

void Socket::ShutdownBoth() { ::shutdown(descriptor(), SHUT_RDWR); }

void Socket::Close() {
  if (!is_open()) return;
  if (suspends_) ForgetDescriptor(descriptor());
  descriptor_.Close();
}

void Socket::CloseAfterPeer() noexcept {
  if (!is_open()) return;
  ShutdownSend();
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + timeout_;
  try {
    // The number of bytes is bounded as well, because a peer may send for ever.
    char ignored[4096];
    for (int i = 0; i < 1024; ++i) {
      if (ReceiveSome(ignored, sizeof ignored) == 0 || Clock::now() > end) break;
    }
  } catch (const std::exception&) {
    // The connection ends either way.
  }
  Close();
}

Listener::Listener(const Endpoint& address, const SocketPolicy& policy)
    : descriptor_(
          ::socket(address.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      policy_(policy),
      local_(address) {
  const auto fail = [&](std::string_view operation) {
    throw Error({errno, std::system_category()}, operation, address);
  };
  if (!descriptor_.is_open()) fail("create a listener for");
  const int on = 1;
  setsockopt(descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor(), address.get(), address.size) != 0) fail("bind");
  if (::listen(descriptor(), SOMAXCONN) != 0) fail("listen on");
  local_.size = sizeof local_.address;
  if (::getsockname(descriptor(), local_.get(), &local_.size) != 0) fail("read the address of");
}

Socket Listener::Accept(std::chrono::milliseconds timeout) {
  Endpoint peer;
  peer.size = sizeof peer.address;
  const int descriptor = ::accept4(descriptor_.get(), peer.get(), &peer.size, SOCK_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      throw Error({error, std::system_category()}, "accept on", local_);
    }
    return Socket();  // the peer has gone, or another accept was faster
  }
  Socket socket(descriptor, peer);
  socket.SetPolicy(policy_);
  if (accepts_for_fibers_) socket.SuspendInsteadOfBlocking();
  socket.SetTimeout(timeout);
  return socket;
}

}  // namespace rpycbench::net
