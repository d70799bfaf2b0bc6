// What decides whether TCP lets a small message go at once, and what it makes of one that is
// written in pieces. Nagle's algorithm holds a small segment back while an earlier one has not been
// acknowledged; a peer that waits for the rest delays its acknowledgement for 40 ms, and both wait.
// The defaults avoid that in every way there is. Unix-domain sockets have none of this.
#pragma once

#include <optional>
#include <string_view>

#include "servers/net/text.h"

namespace rpycbench::net {

// How a message leaves whose head and payload lie apart in memory, or could.
enum class Writes {
  kJoined,  // with one system call
  kSplit,   // the head with one, the payload with another
  kCorked,  // likewise, but the head waits in the kernel to leave with the payload (MSG_MORE)
};

inline constexpr EnumNames<Writes, 3> kWritesNames{{"joined", "split", "corked"}};

constexpr std::string_view ToString(Writes writes) { return kWritesNames[writes]; }

// Empty for a name that is none of the three.
constexpr std::optional<Writes> ParseWrites(std::string_view name) {
  return kWritesNames.Find(name);
}

struct SocketPolicy {
  bool nodelay = true;  // TCP_NODELAY: no Nagle's algorithm on this end
  Writes writes = Writes::kJoined;
  // Whether Socket::RearmQuickAck asks for acknowledgements; without, the kernel alone decides.
  bool quick_ack = true;
};

}  // namespace rpycbench::net
