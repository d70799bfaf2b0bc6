#include "servers/net/coroutine_socket.h"

#include <boost/asio/buffer.hpp>
#include <boost/iterator/transform_iterator.hpp>
#include <boost/range/iterator_range_core.hpp>
#include <utility>

#include "servers/net/socket.h"
#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

// Calls `use` with the blocks as Asio's buffers, of which it makes no copy: each coroutine keeps
// the pages of its stack that it has used once. Asio has less work with a single buffer.
template <class Buffer, class Use>
auto WithBuffers(std::span<iovec> blocks, const Use& use) {
  const auto buffer = [](const iovec& block) { return Buffer(block.iov_base, block.iov_len); };
  if (blocks.size() == 1) return use(buffer(blocks.front()));
  const auto buffers_from = [&](iovec* block) {
    return boost::make_transform_iterator(block, buffer);
  };
  return use(boost::make_iterator_range(buffers_from(blocks.data()),
                                        buffers_from(blocks.data() + blocks.size())));
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

// Suspends until the operation that `start` starts is done or `limit` has passed. The limit of an
// earlier wait may end it too soon, so it is then started again.
template <class Start>
Coroutine::Result CoroutineSocket::Await(std::chrono::milliseconds limit, const Start& start) {
  Begin(limit);
  Coroutine::Result result;
  do {
    result = Coroutine::Current()->Await(start);
  } while (result.error == asio::error::operation_aborted && !TimeIsOver());
  End();
  if (result.error == asio::error::operation_aborted) result.error = asio::error::timed_out;
  return result;
}

int CoroutineSocket::Connect(const Endpoint& peer, std::chrono::milliseconds limit) {
  const Protocol::endpoint address(peer.get(), peer.size);
  const auto start = [&](Coroutine::Continue done) { socket_->async_connect(address, done); };
  return Await(limit, start).error.value();
}

system_calls::Moved CoroutineSocket::Receive(std::span<iovec> blocks,
                                             std::chrono::milliseconds limit) {
  if (std::exchange(answer_due_, false)) Yield();
  const auto [error, got] = WithBuffers<asio::mutable_buffer>(blocks, [&](const auto& buffers) {
    return Await(limit, [&](Coroutine::Continue done) { socket_->async_read_some(buffers, done); });
  });
  if (error == asio::error::eof) return {};
  return {got, error.value()};
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
  const auto start = [&](Coroutine::Continue done) {
    socket_->async_wait(Socket::wait_write, done);
  };
  return Await(limit, start).error;
}

// Other threads may call this while the socket is in use. Asio's reactor locks what they share.
void CoroutineSocket::Cancel() {
  boost::system::error_code ignored;
  socket_->cancel(ignored);
}

}  // namespace rpycbench::net
