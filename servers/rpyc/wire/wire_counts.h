// Counts of everything that one end of a connection has sent and received. A message counts when it
// is written or read as a message, not when its bytes cross the socket. The numbers of a call thus
// do not depend on what the kernel delivers together. A release that waits for the next message
// counts when it is written.
#pragma once

#include <cstdint>

namespace rpycbench::rpyc {

// Totals of the frames in one direction.
struct FrameTotals {
  std::uint64_t frames = 0;
  std::uint64_t compressed = 0;  // of these frames
  std::uint64_t bytes = 0;       // on the wire, including heads and trailers

  friend bool operator==(const FrameTotals&, const FrameTotals&) = default;
};

struct WireCounts {
  FrameTotals out, in;
  // The requests, including releases (DEL) and CLOSE.
  std::uint64_t requests_out = 0;
  std::uint64_t requests_in = 0;
  // The requests of this end that were answered, and those of the peer, without releases, that were
  // served while this end waited. Each crossed the wire in both directions, one after the other.
  std::uint64_t round_trips = 0;
  // The references to objects of the sender. Each crossing counts.
  std::uint64_t references_out = 0;
  std::uint64_t references_in = 0;
  // The references given back. One release may give back several.
  std::uint64_t releases_out = 0;
  std::uint64_t releases_in = 0;

  friend bool operator==(const WireCounts&, const WireCounts&) = default;
};

}  // namespace rpycbench::rpyc
