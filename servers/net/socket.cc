#include "servers/net/socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "servers/net/coroutine_socket.h"
#include "servers/net/tls/stream.h"

namespace rpycbench::net {

Error::Error(std::error_code code, std::string_view operation, const Endpoint& peer)
    : std::system_error(code, std::string(operation) + " " + peer.ToString()) {}

bool Error::truncated() const {
  return code() == std::error_code(make_error_code(boost::asio::ssl::error::stream_truncated));
}

EndOfStream::EndOfStream(std::string_view operation, const Endpoint& peer)
    : std::runtime_error(std::string(operation) + " " + peer.ToString() +
                         ": the peer closed the connection") {}

Socket::Socket() = default;
Socket::Socket(int descriptor, const Endpoint& peer) : descriptor_(descriptor), peer_(peer) {}
Socket::Socket(Socket&& other) noexcept = default;
Socket& Socket::operator=(Socket&& other) noexcept = default;
Socket::~Socket() = default;

Socket Socket::Connect(const Endpoint& peer, std::chrono::milliseconds timeout,
                       const SocketPolicy& policy) {
  Descriptor descriptor = system_calls::OpenFor(peer);
  if (!descriptor.is_open()) {
    throw Error({errno, std::system_category()}, "create a socket for", peer);
  }
  Coroutine* const coroutine = Coroutine::Current();
  Socket socket(descriptor.Release(), peer);
  int error = 0;
  // A Unix-domain connect waits only for space in the listener's backlog, which nothing reports.
  if (coroutine == nullptr || peer.is_unix()) {
    system_calls::LimitWaits(socket.descriptor(), timeout);
    error = system_calls::Connect(socket.descriptor(), peer);
    if (coroutine != nullptr) socket.SuspendIn(coroutine->group());
  } else {
    socket.SuspendIn(coroutine->group());
    error = socket.in_coroutines_->Connect(peer, timeout);
  }
  socket.timeout_ = timeout;
  if (error == EADDRNOTAVAIL) {
    socket.Fail(error,
                "get a local address and a free port (see ip_local_port_range; TIME_WAIT keeps a "
                "port for a minute) to connect to");
  }
  if (error != 0) socket.Fail(error, "connect to");
  socket.SetPolicy(policy);
  if (policy.tls != nullptr) socket.StartTls(*policy.tls, peer.host());
  return socket;
}

int Socket::descriptor() const {
  return in_coroutines_ ? in_coroutines_->descriptor() : descriptor_.get();
}

void Socket::Fail(int error, std::string_view operation) const {
  throw Error({error, std::system_category()}, operation, peer_);
}

void Socket::SetTimeout(std::chrono::milliseconds timeout) {
  timeout_ = timeout;
  if (!in_coroutines_) system_calls::LimitWaits(descriptor(), timeout);
}

void Socket::SetPolicy(const SocketPolicy& policy) {
  policy_ = policy;
  if (policy.nodelay && !peer_.is_unix()) system_calls::SetNoDelay(descriptor());
}

void Socket::SuspendIn(Coroutines& group) {
  in_coroutines_ = std::make_unique<CoroutineSocket>(group, std::move(descriptor_), peer_);
}

void Socket::RearmQuickAck() {
  if (policy_.quick_ack && !peer_.is_unix()) system_calls::SetQuickAck(descriptor());
}

void Socket::StartTls(TlsContext& context, const std::string& name) {
  tls_ = std::make_unique<TlsStream>(context, name);
  try {
    tls_->Handshake(*this);
  } catch (const Error&) {
    tls_.reset();  // what still arrives is ignored as it is
    throw;
  }
}

std::size_t Socket::ReceiveSome(std::span<iovec> into) {
  if (tls_) [[unlikely]]
    return tls_->Receive(*this, into.front());
  return ReceivePlain(into);
}

std::size_t Socket::ReceivePlain(std::span<iovec> into) {
  const auto [got, error] = in_coroutines_ ? in_coroutines_->Receive(into, timeout_)
                                           : system_calls::Receive(descriptor_.get(), into);
  if (error != 0) Fail(error, "receive from");
  bytes_received_ += got;
  return got;
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

void Socket::SendAll(std::span<iovec> blocks) {
  // The kernel takes longer to read the places of several blocks than this takes to join small
  // ones.
  char joined[256];
  std::size_t size = 0;
  for (const iovec& block : blocks) {
    if (block.iov_len > sizeof joined - size) return SendBlocks(blocks, 0);
    std::copy_n(static_cast<const char*>(block.iov_base), block.iov_len, joined + size);
    size += block.iov_len;
  }
  SendAll(joined, size);
}

void Socket::SendBlocks(std::span<iovec> blocks, int flags) {
  if (tls_) [[unlikely]]
    return tls_->Send(*this, blocks, flags);
  SendPlain(blocks, flags);
}

void Socket::SendPlain(std::span<iovec> blocks, int flags) {
  for (std::size_t sent = 0;;) {
    while (!blocks.empty() && sent >= blocks.front().iov_len) {
      sent -= blocks.front().iov_len;
      blocks = blocks.subspan(1);
    }
    if (blocks.empty()) return;
    blocks.front().iov_base = static_cast<char*>(blocks.front().iov_base) + sent;
    blocks.front().iov_len -= sent;
    const auto moved = in_coroutines_ ? in_coroutines_->Send(blocks, flags, timeout_)
                                      : system_calls::Send(descriptor_.get(), blocks, flags);
    if (moved.error != 0) Fail(moved.error, "send to");
    sent = moved.bytes;
    bytes_sent_ += sent;
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

void Socket::ShutdownSend() {
  if (tls_) tls_->EndSending(*this);
  system_calls::Shutdown(descriptor(), SHUT_WR);
}

void Socket::ShutdownBoth() { system_calls::Shutdown(descriptor(), SHUT_RDWR); }

void Socket::Close() {
  tls_.reset();
  in_coroutines_.reset();
  descriptor_.Close();
}

void Socket::CloseAfterPeer() noexcept {
  if (!is_open()) return;
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + timeout_;
  try {
    ShutdownSend();
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

}  // namespace rpycbench::net
