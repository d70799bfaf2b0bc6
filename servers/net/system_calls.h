// The system calls of sockets that block, and those that Asio has no portable form of. Asio's own
// blocking reads ignore SO_RCVTIMEO, and it registers each socket with epoll, which a thread that
// blocks does not need. Calls are repeated when a signal interrupts them.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

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
// Accepts a waiting connection, which closes on exec. The result is not open if that failed.
Descriptor Accept(int listener, Endpoint& peer, std::error_code& error);
std::error_code Connect(int descriptor, const Endpoint& peer);

// Receives at least one byte into `blocks`. Returns the number of bytes, 0 at the end of the
// stream.
std::size_t Receive(int descriptor, std::span<iovec> blocks, std::error_code& error);
// Sends at least one byte of `blocks`; `flags` are those of send(2). Returns the number of bytes.
std::size_t Send(int descriptor, std::span<iovec> blocks, int flags, std::error_code& error);

// Limits each later wait of connect, receive and send; zero waits for ever. A passed limit is
// std::errc::timed_out.
void LimitWaits(int descriptor, std::chrono::milliseconds limit);
// `how` is SHUT_WR or SHUT_RDWR.
void Shutdown(int descriptor, int how);

// Have no effect on a socket that is not TCP.
void SetNoDelay(int descriptor);
void SetQuickAck(int descriptor);
Segments SegmentsOf(int descriptor);

}  // namespace rpycbench::net::system_calls
