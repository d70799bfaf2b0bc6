// What one end of a connection has sent and received so far, counted message by message: when it is
// written or read as a message, not when its bytes happen to cross the socket, so that the numbers
// of a call do not depend on what the kernel delivers together. A release that waits to leave with
// the next message is counted when it is written.
#pragma once

#include <cstdint>

namespace rpycbench::rpyc {

// Frames of one direction.
struct FrameTotals {
  std::uint64_t frames = 0;
  std::uint64_t compressed = 0;  // of these
  std::uint64_t bytes = 0;       // as on the wire, heads and trailers included

  friend bool operator==(const FrameTotals&, const FrameTotals&) = default;
};

struct WireCounts {
  FrameTotals out, in;
  // Releases (DEL) and CLOSE are requests as well.
  std::uint64_t requests_out = 0;
  std::uint64_t requests_in = 0;
  // Requests of this end that were answered, and those of the peer, releases aside, that were
  // served while this end waited: each took the wire once in both directions, one after the other.
  std::uint64_t round_trips = 0;
  // References to objects of the sender, one each time that one crosses.
  std::uint64_t references_out = 0;
  std::uint64_t references_in = 0;
  // References given back; one release may give back several.
  std::uint64_t releases_out = 0;
  std::uint64_t releases_in = 0;

  friend bool operator==(const WireCounts&, const WireCounts&) = default;
};

}  // namespace rpycbench::rpyc
