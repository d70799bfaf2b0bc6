#include "servers/net/coroutine_socket.h"

#include <boost/asio/buffer.hpp>
#include <iterator>
#include <utility>

#include "servers/net/socket.h"
#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

// The blocks as a sequence of Asio's buffers. It copies none of them, because each coroutine keeps
// the pages of its stack that it has used once.
template <class Buffer>
class Buffers {
 public:
  class const_iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Buffer;
    using difference_type = std::ptrdiff_t;
    using pointer = const Buffer*;
    using reference = Buffer;

    explicit const_iterator(const iovec* block) : block_(block) {}
    Buffer operator*() const { return Buffer(block_->iov_base, block_->iov_len); }
    const_iterator& operator++() { return ++block_, *this; }
    const_iterator operator++(int) { return const_iterator(block_++); }
    const_iterator& operator--() { return --block_, *this; }
    const_iterator operator--(int) { return const_iterator(block_--); }
    bool operator==(const const_iterator&) const = default;

   private:
    const iovec* block_;
  };

  explicit Buffers(std::span<iovec> blocks) : blocks_(blocks) {}
  const_iterator begin() const { return const_iterator(blocks_.data()); }
  const_iterator end() const { return const_iterator(blocks_.data() + blocks_.size()); }

 private:
  std::span<iovec> blocks_;
};

// Calls `use` with the blocks as Asio's buffers. Asio has less work with a single one.
template <class Buffer, class Use>
auto WithBuffers(std::span<iovec> blocks, const Use& use) {
  if (blocks.size() != 1) return use(Buffers<Buffer>(blocks));
  return use(Buffer(blocks.front().iov_base, blocks.front().iov_len));
}

}  // namespace

CoroutineSocket::CoroutineSocket(Coroutines& group, Descriptor descriptor, const Endpoint& peer)
    : TimedWait(group),
      others_before_answers_(group.options().others_before_answers),
      socket_(std::in_place, group.context()) {
  boost::system::error_code error;
  socket_->assign(Protocol(peer.address.ss_family, 0), descriptor.get(), error);
  if (error) throw Error(error, "watch the socket of", peer);  // epoll takes no more
  descriptor.Release();
  socket_->non_blocking(true);
}

// Suspends until `operation` is done or `limit` has passed. The limit of an earlier wait may end it
// too soon, so it is then started again.
template <class Operation>
boost::system::error_code CoroutineSocket::Await(std::chrono::milliseconds limit,
                                                 const Operation& operation) {
  boost::system::error_code error;
  Begin(limit);
  do {
    Coroutine::Current()->Await([&](const auto& yield) { operation(yield[error]); });
  } while (error == asio::error::operation_aborted && !TimeIsOver());
  End();
  return error == asio::error::operation_aborted ? asio::error::timed_out : error;
}

int CoroutineSocket::Connect(const Endpoint& peer, std::chrono::milliseconds limit) {
  const Protocol::endpoint address(peer.get(), peer.size);
  return Await(limit, [&](const auto& yield) { socket_->async_connect(address, yield); }).value();
}

system_calls::Moved CoroutineSocket::Receive(std::span<iovec> blocks,
                                             std::chrono::milliseconds limit) {
  if (std::exchange(answer_due_, false)) Yield();
  std::size_t got = 0;
  const auto failure = WithBuffers<asio::mutable_buffer>(blocks, [&](const auto& buffers) {
    return Await(limit, [&](const auto& yield) { got = socket_->async_read_some(buffers, yield); });
  });
  if (failure == asio::error::eof) return {};
  return {got, failure.value()};
}

system_calls::Moved CoroutineSocket::Send(std::span<iovec> blocks, int flags,
                                          std::chrono::milliseconds limit) {
  for (;;) {
    // Nearly every message fits into the kernel's buffer, so it is sent without a suspension.
    boost::system::error_code failure;
    const std::size_t sent = WithBuffers<asio::const_buffer>(
        blocks, [&](const auto& buffers) { return socket_->send(buffers, flags, failure); });
    if (failure == asio::error::would_block) failure = AwaitSpace(limit);
    if (sent == 0 && !failure) continue;
    answer_due_ = others_before_answers_;
    Coroutine::Current()->YieldIfDue();
    return {sent, failure.value()};
  }
}

boost::system::error_code CoroutineSocket::AwaitSpace(std::chrono::milliseconds limit) {
  return Await(limit, [&](const auto& yield) { socket_->async_wait(Socket::wait_write, yield); });
}

// Other threads may call this while the socket is in use. Asio's reactor locks what they share.
void CoroutineSocket::Cancel() {
  boost::system::error_code ignored;
  socket_->cancel(ignored);
}

}  // namespace rpycbench::net
