// A stream connection (TCP or Unix-domain), used as if it blocked. In a thread it does block, with
// one system call a message. In a coroutine it suspends instead (coroutine.h). Sockets close on
// exec and count the bytes they move. They set TCP_NODELAY unless their policy says otherwise, and
// give up after `timeout` without progress.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "servers/net/descriptor.h"
#include "servers/net/endpoint.h"
#include "servers/net/socket_policy.h"
#include "servers/net/system_calls.h"

namespace rpycbench::net {

// A failed operation with its peer and its cause, in one line: "receive from 127.0.0.1:4711: timed
// out". code() is std::errc::timed_out when the time limit passed without progress.
class Error : public std::system_error {
 public:
  Error(std::error_code code, std::string_view operation, const Endpoint& peer);
  bool timed_out() const { return code() == std::errc::timed_out; }
  // The peer ended a stream inside TLS without saying so, or somebody else did.
  bool truncated() const;
};

// The peer ended the stream although more bytes were due.
class EndOfStream : public std::runtime_error {
 public:
  EndOfStream(std::string_view operation, const Endpoint& peer);
};

class Coroutines;
class CoroutineSocket;
class TlsContext;
class TlsStream;
using system_calls::Segments;

class Socket {
 public:
  Socket();
  // Takes ownership of a connected descriptor. Neither end of such a pair has TCP_NODELAY set,
  // whatever the default policy says.
  Socket(int descriptor, const Endpoint& peer);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // Connects to `peer` within `timeout`, which also limits each later wait of the socket. A socket
  // made in a coroutine may only be used in coroutines of the same group. With TLS, the peer has
  // to have a certificate for its address. Throws Error.
  static Socket Connect(const Endpoint& peer, std::chrono::milliseconds timeout,
                        const SocketPolicy& policy = {});

  // Encrypts from now on, after a handshake that must end within the time limit. The context must
  // outlive the socket. A client expects the server's certificate for `name`, a host name or an IP
  // address; a server ignores it. Throws Error.
  void StartTls(TlsContext& context, const std::string& name = {});
  // Returns the TLS connection, or null if the socket does not encrypt.
  const TlsStream* tls() const { return tls_.get(); }

  bool is_open() const { return descriptor() >= 0; }
  int descriptor() const;
  const Endpoint& peer() const { return peer_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  // Returns the segments of this connection, or zeros if it is not TCP.
  Segments segments() const { return system_calls::SegmentsOf(descriptor()); }

  // Limits the wait without progress in one receive or send; zero waits for ever.
  void SetTimeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds timeout() const { return timeout_; }
  // Sets the policy. Must be called before anything is sent.
  void SetPolicy(const SocketPolicy& policy);
  // Makes the socket suspend coroutines of the group instead of blocking. It may only be used in
  // these from then on.
  void SuspendIn(Coroutines& group);
  // Asks the kernel to acknowledge at once, if the policy allows it. The kernel forgets this
  // request: until it is repeated, a peer with Nagle's algorithm holds the rest of a large message
  // back for 40 ms.
  void RearmQuickAck();

  // Waits for at least one byte and receives what is there, at most `size` bytes. Returns the
  // number of bytes, 0 at the end of the stream. Throws Error.
  std::size_t ReceiveSome(void* into, std::size_t size) {
    iovec block{into, size};
    return ReceiveSome({&block, 1});
  }
  // Receives into several blocks with one system call; otherwise the same.
  std::size_t ReceiveSome(std::span<iovec> into);
  // Receives exactly `size` bytes. Throws EndOfStream if the stream ends first, and Error.
  void ReceiveExactly(void* into, std::size_t size);
  // Sends all `size` bytes. Throws Error.
  void SendAll(const void* data, std::size_t size) {
    iovec block{const_cast<void*>(data), size};
    SendBlocks({&block, 1}, 0);
  }
  // Sends all blocks in order, in one system call where the kernel takes them. Changes the entries
  // of the span. Throws Error.
  void SendAll(std::span<iovec> blocks);
  // Sends a message whose first `head` bytes are its head. The policy's writes decide whether head
  // and payload leave together. Throws Error.
  void SendMessage(const void* data, std::size_t size, std::size_t head) {
    if (policy_.writes == Writes::kJoined) return SendAll(data, size);
    iovec block{const_cast<void*>(data), size};
    SendInPieces({&block, 1}, head);
  }
  void SendMessage(std::span<iovec> blocks, std::size_t head) {
    policy_.writes == Writes::kJoined ? SendAll(blocks) : SendInPieces(blocks, head);
  }

  // Ends the sending direction, so the peer sees the end of the stream. Throws Error if the notice
  // that TLS has for this cannot be sent.
  void ShutdownSend();
  // Ends both directions and wakes whoever waits on this socket. Any thread may call this.
  void ShutdownBoth();
  void Close();
  // Ends the sending direction, waits until the peer has closed as well, then closes. A peer that
  // keeps sending gets the time limit, and the same again for its last bytes. Errors are ignored,
  // because the connection is over.
  void CloseAfterPeer() noexcept;

 private:
  friend class TlsStream;
  [[noreturn]] void Fail(int error, std::string_view operation) const;
  // What the descriptor moves: encrypted bytes, if there is TLS.
  std::size_t ReceivePlain(std::span<iovec> into);
  void SendPlain(std::span<iovec> blocks, int flags);
  void SendBlocks(std::span<iovec> blocks, int flags);
  void SendInPieces(std::span<iovec> blocks, std::size_t head);

  Descriptor descriptor_;                           // if it blocks
  std::unique_ptr<CoroutineSocket> in_coroutines_;  // otherwise
  std::unique_ptr<TlsStream> tls_;
  SocketPolicy policy_;
  std::chrono::milliseconds timeout_{0};
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  Endpoint peer_;
};

}  // namespace rpycbench::net
