// A blocking stream connection, TCP or Unix-domain, and a listener, as thin as the system calls
// below them: everything measured goes through here, and a composed read or write of a general
// library costs up to 18 % on large transfers. Sockets set TCP_NODELAY unless their policy says
// otherwise, close on exec, count the bytes they move, and give up after `timeout` without
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

// What failed, with whom, and why, in one line: "receive from 127.0.0.1:4711: timed out".
// code() is std::errc::timed_out when the time limit passed without progress.
class Error : public std::system_error {
 public:
  Error(std::error_code code, std::string_view operation, const Endpoint& peer);
  bool timed_out() const { return code() == std::errc::timed_out; }
};

// The peer ended the stream where more bytes were due.
class EndOfStream : public std::runtime_error {
 public:
  EndOfStream(std::string_view operation, const Endpoint& peer);
};

// Segments with data, in both directions.
struct Segments {
  std::uint64_t total = 0;
  // Those of them that TCP sent again, and those that came before one that was lost: how many the
  // peer had to send again cannot be had from this end.
  std::uint64_t retransmits = 0;
};

class Socket {
 public:
  Socket() = default;
  // Takes ownership of a connected descriptor.
  Socket(int descriptor, const Endpoint& peer) : descriptor_(descriptor), peer_(peer) {}
  Socket(Socket&& other) noexcept = default;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // Connects within `timeout`, which also becomes the socket's limit for each later wait. A socket
  // made in a fiber is for use in fibers. Throws Error.
  static Socket Connect(const Endpoint& peer, std::chrono::milliseconds timeout,
                        const SocketPolicy& policy = {});

  bool is_open() const { return descriptor_.is_open(); }
  int descriptor() const { return descriptor_.get(); }
  const Endpoint& peer() const { return peer_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  // Of this connection; zeros for what is not TCP.
  Segments segments() const;

  // The longest wait without progress in one receive or send; zero waits for ever.
  void SetTimeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds timeout() const { return timeout_; }
  // To be called before anything is sent. A connected socket has the default policy, but neither
  // end of a pair made without Connect or Accept has TCP_NODELAY set.
  void SetPolicy(const SocketPolicy& policy);
  // From here on the socket is for use in fibers.
  void SuspendInsteadOfBlocking();
  // Asks the kernel to acknowledge at once. Not sticky: a peer with Nagle's algorithm holds the
  // rest of a large message back for 40 ms until this is set again. Does nothing if the policy is
  // against it.
  void RearmQuickAck();

  // Waits for at least one byte and takes what is there, at most `size` bytes.
  // Returns 0 at the end of the stream. Throws Error.
  std::size_t ReceiveSome(void* into, std::size_t size);
  // Into several blocks with one system call; same results.
  std::size_t ReceiveSome(std::span<iovec> into);
  // Throws EndOfStream if the stream ends first, Error otherwise.
  void ReceiveExactly(void* into, std::size_t size);
  // Throws Error.
  void SendAll(const void* data, std::size_t size);
  // Sends all blocks in order, in one system call where the kernel takes them; the span's entries
  // are used up. Throws Error.
  void SendAll(std::span<iovec> blocks);
  // Like SendAll, a message whose first `head` bytes are its head: the policy's writes decide
  // whether they leave with the payload behind them.
  void SendMessage(const void* data, std::size_t size, std::size_t head) {
    if (policy_.writes == Writes::kJoined) return SendAll(data, size);
    iovec block{const_cast<void*>(data), size};
    SendInPieces({&block, 1}, head);
  }
  void SendMessage(std::span<iovec> blocks, std::size_t head) {
    policy_.writes == Writes::kJoined ? SendAll(blocks) : SendInPieces(blocks, head);
  }

  // Ends the sending direction; the peer sees the end of the stream.
  void ShutdownSend();
  // Ends both directions; a thread waiting on this socket wakes.
  void ShutdownBoth();
  void Close();
  // Ends the sending direction, waits until the peer has closed as well, then closes. A peer that
  // goes on sending is given the time limit, and the same again for its last bytes. Errors are of
  // no interest any more.
  void CloseAfterPeer() noexcept;

 private:
  [[noreturn]] void Fail(int error, std::string_view operation) const;
  // After a system call that failed with `error`: returns if it is to be tried again.
  void RetryOrFail(int error, short events, std::string_view operation) const;
  void FinishConnecting() const;
  void SendBlocks(std::span<iovec> blocks, int flags);
  void SendInPieces(std::span<iovec> blocks, std::size_t head);
  // Book-keeping of what was moved; both may let other fibers go on.
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
  // Binds and listens with the largest backlog; port 0, or no name of a Unix-domain socket, picks a
  // free one. The connections will have the policy. Throws Error.
  explicit Listener(const Endpoint& address, const SocketPolicy& policy = {});
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return descriptor_.get(); }
  std::uint16_t port() const { return local_.port(); }
  // Where it listens.
  const Endpoint& address() const { return local_; }
  // Takes one waiting connection and gives it `timeout` as its limit for each wait. Returns a
  // socket that is not open if there was none after all. Throws Error when the process is out of
  // descriptors or memory.
  Socket Accept(std::chrono::milliseconds timeout);
  // Sockets accepted from here on are for use in fibers.
  void AcceptForFibers() { accepts_for_fibers_ = true; }
  void Close() { descriptor_.Close(); }

 private:
  Descriptor descriptor_;
  bool accepts_for_fibers_ = false;
  SocketPolicy policy_;
  Endpoint local_;
};

}  // namespace rpycbench::net
