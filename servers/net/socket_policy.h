// The settings that decide whether TCP sends a small message at once, and how a message written in
// pieces leaves. Nagle's algorithm holds a small segment back while an earlier one is not
// acknowledged. A peer that waits for the rest delays its acknowledgement for 40 ms, so both wait.
// The defaults avoid this in every possible way. Unix-domain sockets are not affected.
#pragma once

#include <optional>
#include <string_view>

#include "servers/net/text.h"

namespace rpycbench::net {

// How a message leaves if its head and payload are, or could be, apart in memory.
enum class Writes {
  kJoined,  // head and payload with one system call
  kSplit,   // the head with one system call, the payload with another
  kCorked,  // as split, but the kernel holds the head until the payload follows (MSG_MORE)
};

inline constexpr EnumNames<Writes, 3> kWritesNames{{"joined", "split", "corked"}};

constexpr std::string_view ToString(Writes writes) { return kWritesNames[writes]; }

// Returns the value with that name, or nothing for any other name.
constexpr std::optional<Writes> ParseWrites(std::string_view name) {
  return kWritesNames.Find(name);
}

class TlsContext;

struct SocketPolicy {
  bool nodelay = true;  // TCP_NODELAY: no Nagle's algorithm on this end
  Writes writes = Writes::kJoined;
  // Whether Socket::RearmQuickAck asks for acknowledgements; otherwise the kernel alone decides.
  bool quick_ack = true;
  // Whether a connection that is made here begins with a handshake of TLS, and what for.
  TlsContext* tls = nullptr;
};

}  // namespace rpycbench::net
