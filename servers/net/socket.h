// A blocking stream connection (TCP or Unix-domain) and a listener, as thin as the system calls
// below them. All measured traffic goes through here, and a general library's composed reads and
// writes cost up to 18 % on large transfers. Sockets close on exec and count the bytes they move.
// They set TCP_NODELAY unless their policy says otherwise, and give up after `timeout` without
// progress. In a fiber (see wait.h) they suspend instead of blocking.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include "servers/net/descriptor.h"
#include "servers/net/endpoint.h"
#include "servers/net/socket_policy.h"
#include "servers/net/wait.h"

namespace rpycbench::net {

// A failed operation with its peer and its cause, in one line: "receive from 127.0.0.1:4711: timed
// out". code() is std::errc::timed_out when the time limit passed without progress.
class Error : public std::system_error {
 public:
  Error(std::error_code code, std::string_view operation, const Endpoint& peer);
  bool timed_out() const { return code() == std::errc::timed_out; }
};

// The peer ended the stream although more bytes were due.
class EndOfStream : public std::runtime_error {
 public:
  EndOfStream(std::string_view operation, const Endpoint& peer);
};

// Counts of TCP segments with data, in both directions together.
struct Segments {
  std::uint64_t total = 0;
  // The segments that this end sent again, and those that arrived before a lost one. This end
  // cannot see how many segments the peer had to send again.
  std::uint64_t retransmits = 0;
};

class Socket {
 public:
  Socket() = default;
  // Takes ownership of a connected descriptor. Neither end of such a pair has TCP_NODELAY set,
  // whatever the default policy says.
  Socket(int descriptor, const Endpoint& peer) : descriptor_(descriptor), peer_(peer) {}
  Socket(Socket&& other) noexcept = default;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // Connects to `peer` within `timeout`, which also limits each later wait of the socket. A socket
  // made in a fiber may only be used in fibers. Throws Error.
  static Socket Connect(const Endpoint& peer, std::chrono::milliseconds timeout,
                        const SocketPolicy& policy = {});

  bool is_open() const { return descriptor_.is_open(); }
  int descriptor() const { return descriptor_.get(); }
  const Endpoint& peer() const { return peer_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  // Returns the segments of this connection, or zeros if it is not TCP.
  Segments segments() const;

  // Limits the wait without progress in one receive or send; zero waits for ever.
  void SetTimeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds timeout() const { return timeout_; }
  // Sets the policy. Must be called before anything is sent.
  void SetPolicy(const SocketPolicy& policy);
  // Makes the socket suspend its fiber instead of blocking. It may only be used in fibers from then
  // on.
  void SuspendInsteadOfBlocking();
  // Asks the kernel to acknowledge at once, if the policy allows it. The kernel forgets this
  // request: until it is repeated, a peer with Nagle's algorithm holds the rest of a large message
  // back for 40 ms.
  void RearmQuickAck();

  // Waits for at least one byte and receives what is there, at most `size` bytes. Returns the
  // number of bytes, 0 at the end of the stream. Throws Error.
  std::size_t ReceiveSome(void* into, std::size_t size);
  // Receives into several blocks with one system call; otherwise the same.
  std::size_t ReceiveSome(std::span<iovec> into);
  // Receives exactly `size` bytes. Throws EndOfStream if the stream ends first, and Error.
  void ReceiveExactly(void* into, std::size_t size);
  // Sends all `size` bytes. Throws Error.
  void SendAll(const void* data, std::size_t size);
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

  // Ends the sending direction, so the peer sees the end of the stream.
  void ShutdownSend();
  // Ends both directions and wakes a thread that waits on this socket.
  void ShutdownBoth();
  void Close();
  // Ends the sending direction, waits until the peer has closed as well, then closes. A peer that
  // keeps sending gets the time limit, and the same again for its last bytes. Errors are ignored,
  // because the connection is over.
  void CloseAfterPeer() noexcept;

 private:
  [[noreturn]] void Fail(int error, std::string_view operation) const;
  // Handles a system call that failed with `error`. Returns if the caller should try again. Throws
  // Error otherwise.
  void RetryOrFail(int error, short events, std::string_view operation) const;
  void FinishConnecting() const;
  void SendBlocks(std::span<iovec> blocks, int flags);
  void SendInPieces(std::span<iovec> blocks, std::size_t head);
  // Count the moved bytes. Both may let other fibers run.
  void Received(std::size_t got, std::size_t asked);
  void Sent(std::size_t sent);
  void AwaitAnswer();

  Descriptor descriptor_;
  bool suspends_ = false;
  bool answer_due_ = false;  // nothing was received since the last send
  Drained drained_;          // as of the last receive
  SocketPolicy policy_;
  std::chrono::milliseconds timeout_{0};
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  Endpoint peer_;
};

class Listener {
 public:
  // Binds and listens with the largest backlog. Port 0, or an empty Unix-domain name, picks a free
  // address. Accepted connections get the policy. Throws Error.
  explicit Listener(const Endpoint& address, const SocketPolicy& policy = {});
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return descriptor_.get(); }
  std::uint16_t port() const { return local_.port(); }
  // Returns the bound address.
  const Endpoint& address() const { return local_; }
  // Accepts one waiting connection and gives it `timeout` as its limit for each wait. Returns a
  // closed socket if no connection was waiting after all. Throws Error if the process is out of
  // descriptors or memory.
  Socket Accept(std::chrono::milliseconds timeout);
  // Makes all sockets accepted from now on suspend their fibers instead of blocking.
  void AcceptForFibers() { accepts_for_fibers_ = true; }
  void Close() { descriptor_.Close(); }

 private:
  Descriptor descriptor_;
  bool accepts_for_fibers_ = false;
  SocketPolicy policy_;
  Endpoint local_;
};

}  // namespace rpycbench::net
