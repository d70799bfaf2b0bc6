#include "servers/net/system_calls.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace rpycbench::net::system_calls {
namespace {

int LastError() {
  // The limit of a wait was passed.
  const bool late = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS;
  return late ? ETIMEDOUT : errno;
}

// Repeats `call` while signals interrupt it.
template <class Call>
Moved Repeat(const Call& call) {
  for (;;) {
    const ssize_t result = call();
    if (result >= 0) return {.bytes = static_cast<std::size_t>(result)};
    if (errno != EINTR) return {.error = LastError()};
  }
}

msghdr MessageOf(std::span<iovec> blocks) {
  msghdr message{};
  message.msg_iov = blocks.data();
  message.msg_iovlen = std::min<std::size_t>(blocks.size(), IOV_MAX);
  return message;
}

void SwitchOn(int descriptor, int option) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, option, &on, sizeof on);
}

}  // namespace

Descriptor OpenFor(const Endpoint& peer) {
  return Descriptor(::socket(peer.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

Descriptor Accept(int listener, Endpoint& peer) {
  peer.size = sizeof peer.address;
  return Descriptor(::accept4(listener, peer.get(), &peer.size, SOCK_CLOEXEC));
}

int Connect(int descriptor, const Endpoint& peer) {
  return ::connect(descriptor, peer.get(), peer.size) == 0 ? 0 : LastError();
}

Moved Receive(int descriptor, std::span<iovec> blocks) {
  return Repeat([&] {
    if (blocks.size() == 1) {
      return ::recv(descriptor, blocks.front().iov_base, blocks.front().iov_len, 0);
    }
    msghdr message = MessageOf(blocks);
    return ::recvmsg(descriptor, &message, 0);
  });
}

Moved Send(int descriptor, std::span<iovec> blocks, int flags) {
  return Repeat([&] {
    if (blocks.size() == 1) {
      const iovec& block = blocks.front();
      return ::send(descriptor, block.iov_base, block.iov_len, MSG_NOSIGNAL | flags);
    }
    const msghdr message = MessageOf(blocks);
    return ::sendmsg(descriptor, &message, MSG_NOSIGNAL | flags);
  });
}

void LimitWaits(int descriptor, std::chrono::milliseconds limit) {
  timeval time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_usec = (limit.count() % 1000) * 1000;
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

void Shutdown(int descriptor, int how) { ::shutdown(descriptor, how); }

void SetNoDelay(int descriptor) { SwitchOn(descriptor, TCP_NODELAY); }

void SetQuickAck(int descriptor) { SwitchOn(descriptor, TCP_QUICKACK); }

Segments SegmentsOf(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {.total = std::uint64_t{info.tcpi_data_segs_out} + info.tcpi_data_segs_in,
          .retransmits = std::uint64_t{info.tcpi_total_retrans} + info.tcpi_rcv_ooopack};
}

}  // namespace rpycbench::net::system_calls
