// The choices and limits of an RPyC connection, the same on both ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "servers/rpyc/wire/compression.h"

namespace rpycbench::rpyc {

// The message layout that a peer speaks. There are two, incompatible, which differ in two bytes.
enum class Dialect {
  kAuto,  // a server adopts that of the first message, a client tries 5 and then 6
  k5,     // rpyc 5.x
  k6,     // rpyc 6.x
};
inline constexpr Dialect kNewestDialect = Dialect::k6;

// Bounds on what a peer may cause. Exceeding one ends the connection or the request.
struct Limits {
  // The size of a message in bytes, as sent and after inflating: the service's largest payload, and
  // space for the rest of the message.
  std::int64_t max_message_bytes = (std::int64_t{1} << 30) + (std::int64_t{1} << 20);
  // The memory of all messages of a connection, in bytes. It includes requests whose handlers wait
  // for the peer, answers not yet fetched, and the buffer kept for the next message. 0 means one
  // and a half of the largest message, and 1 MiB.
  std::int64_t max_connection_bytes = 0;
  std::size_t max_items = std::size_t{1} << 22;  // values in one message, 24 bytes each in memory
  int max_depth = 128;           // nesting of values; Python cannot send more than about 330
  int max_nested_requests = 64;  // requests served while others wait for their answers
  std::size_t max_exported_objects = std::size_t{1} << 20;  // a peer may never release any
};

}  // namespace rpycbench::rpyc
