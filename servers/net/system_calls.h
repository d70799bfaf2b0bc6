// The system calls of sockets that block, and those that Asio has no portable form of. Asio's own
// blocking reads ignore SO_RCVTIMEO, and it registers each socket with epoll, which a thread that
// blocks does not need. Receive and Send continue after a signal.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "servers/net/descriptor.h"
#include "servers/net/endpoint.h"

namespace rpycbench::net::system_calls {

// Counts of TCP segments with data, in both directions together.
struct Segments {
  std::uint64_t total = 0;
  // The segments that this end sent again, and those that arrived before a lost one. This end
  // cannot see how many segments the peer had to send again.
  std::uint64_t retransmits = 0;
};

// Opens a socket that closes on exec. The result is not open if that failed; errno says why.
Descriptor OpenFor(const Endpoint& peer);
// Accepts a waiting connection, which closes on exec. Otherwise the same.
Descriptor Accept(int listener, Endpoint& peer);
// Returns 0, or the error as in errno.
int Connect(int descriptor, const Endpoint& peer);

// How many bytes a call moved. Without any, the error as in errno, or 0 at the end of the stream.
struct Moved {
  std::size_t bytes = 0;
  int error = 0;
};

// Receives at least one byte into the blocks.
Moved Receive(int descriptor, std::span<iovec> blocks);
// Sends at least one byte of the blocks; `flags` are those of send(2).
Moved Send(int descriptor, std::span<iovec> blocks, int flags);

// Limits each later wait of connect, receive and send; zero waits for ever. A passed limit is the
// error ETIMEDOUT.
void LimitWaits(int descriptor, std::chrono::milliseconds limit);
// `how` is SHUT_WR or SHUT_RDWR.
void Shutdown(int descriptor, int how);

// Have no effect on a socket that is not TCP.
void SetNoDelay(int descriptor);
void SetQuickAck(int descriptor);
Segments SegmentsOf(int descriptor);

}  // namespace rpycbench::net::system_calls
