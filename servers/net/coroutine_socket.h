// A connected socket of Asio's, used by coroutines: a call that would wait suspends its coroutine.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

#include "servers/net/coroutine.h"
#include "servers/net/descriptor.h"
#include "servers/net/endpoint.h"
#include "servers/net/system_calls.h"

namespace rpycbench::net {

// The calls are those of system_calls.h, except that `limit` bounds the wait.
class CoroutineSocket final : public TimedWait {
 public:
  // Takes over a descriptor that is connected, or is going to be connected, to `peer`. Throws
  // Error.
  CoroutineSocket(Coroutines& group, Descriptor descriptor, const Endpoint& peer);
  ~CoroutineSocket() override { Leave(); }

  // Returns a negative number if the group is gone.
  int descriptor() { return socket_ ? socket_->native_handle() : -1; }
  int Connect(const Endpoint& peer, std::chrono::milliseconds limit);
  system_calls::Moved Receive(std::span<iovec> blocks, std::chrono::milliseconds limit);
  system_calls::Moved Send(std::span<iovec> blocks, int flags, std::chrono::milliseconds limit);

 private:
  using Protocol = asio::generic::stream_protocol;
  using Socket = asio::basic_stream_socket<Protocol, asio::io_context::executor_type>;

  template <class Start>
  Coroutine::Result Await(std::chrono::milliseconds limit, const Start& start);
  // Not inlined, because it would add to the stack of every coroutine that sends.
  [[gnu::noinline]] boost::system::error_code AwaitSpace(std::chrono::milliseconds limit);
  void Cancel() override;
  void GroupEnds() override { socket_.reset(); }

  const bool others_before_answers_;
  bool answer_due_ = false;  // nothing was received since the last send
  std::optional<Socket> socket_;
};

}  // namespace rpycbench::net
