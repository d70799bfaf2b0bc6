// The choices and limits of an RPyC connection, the same on both ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "servers/rpyc/wire/compression.h"

namespace rpycbench::rpyc {

// Which of the two incompatible message layouts a peer speaks; they differ in two bytes.
enum class Dialect {
  kAuto,  // a server adopts the first message's, a client tries 5 and then 6
  k5,     // rpyc 5.x
  k6,     // rpyc 6.x
};
inline constexpr Dialect kNewestDialect = Dialect::k6;

// Bounds on what a peer may cause. Exceeding one ends the connection or the request.
struct Limits {
  // As sent, and after inflating: the service's largest payload, and room for what surrounds it.
  std::int64_t max_message_bytes = (std::int64_t{1} << 30) + (std::int64_t{1} << 20);
  // In memory, of all messages of a connection: requests whose handlers wait for the peer, answers
  // that nobody has fetched, and the buffer that is kept for the next one. 0: one and a half of the
  // largest message, and 1 MiB.
  std::int64_t max_connection_bytes = 0;
  std::size_t max_items = std::size_t{1} << 22;  // values in one message, 24 bytes each in memory
  int max_depth = 128;           // of nested values; Python cannot send more than about 330
  int max_nested_requests = 64;  // requests served while others wait for their answers
  std::size_t max_exported_objects = std::size_t{1} << 20;  // a peer may never release any
};

}  // namespace rpycbench::rpyc
