#include "servers/net/system_calls.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace rpycbench::net::system_calls {
namespace {

// Repeats `call` while signals interrupt it. Returns its result, or 0 and the error.
template <class Call>
std::size_t Repeat(std::error_code& error, const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return static_cast<std::size_t>(result);
    if (errno == EINTR) continue;
    // The limit of a wait was passed.
    const bool late = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS;
    error = {late ? ETIMEDOUT : errno, std::system_category()};
    return 0;
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

Descriptor Accept(int listener, Endpoint& peer, std::error_code& error) {
  peer.size = sizeof peer.address;
  const int descriptor = ::accept4(listener, peer.get(), &peer.size, SOCK_CLOEXEC);
  if (descriptor < 0) error = {errno, std::system_category()};
  return Descriptor(descriptor);
}

std::error_code Connect(int descriptor, const Endpoint& peer) {
  std::error_code error;
  Repeat(error, [&] { return ::connect(descriptor, peer.get(), peer.size); });
  return error;
}

std::size_t Receive(int descriptor, std::span<iovec> blocks, std::error_code& error) {
  return Repeat(error, [&] {
    if (blocks.size() == 1) {
      return ::recv(descriptor, blocks.front().iov_base, blocks.front().iov_len, 0);
    }
    msghdr message = MessageOf(blocks);
    return ::recvmsg(descriptor, &message, 0);
  });
}

std::size_t Send(int descriptor, std::span<iovec> blocks, int flags, std::error_code& error) {
  return Repeat(error, [&] {
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
