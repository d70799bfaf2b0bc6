// SocketPolicy: what it costs to write a message in pieces, depending on which ends set
// TCP_NODELAY. A head and a payload in two writes, followed by a wait for the answer, is the
// classic trap. Nagle's algorithm holds the payload back until the head is acknowledged. The peer
// waits for the payload and delays its acknowledgement for 40 ms. The rest of the suite avoids
// both. In these rows the ends do not ask for acknowledgements either, because that would hide the
// delay.
#include <string>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

using net::Writes;

// The ends that set TCP_NODELAY.
struct Ends {
  std::string_view name;
  bool client;
  bool server;
};
constexpr Ends kNone{"none", false, false};
constexpr Ends kClient{"client", true, false};
constexpr Ends kServer{"server", false, true};
constexpr Ends kBoth{"both", true, true};

constexpr std::uint64_t kBytes = 1024;
// Python writes more than 64,000 bytes in pieces.
constexpr std::uint64_t kPythonBytes = 102'400;

// A new connection acknowledges its first segments at once, with or without a stall.
constexpr std::int64_t kWarmupCalls = 2;

// Returns whether a preset has the row. Except in `full`, there is the stall in each protocol, and
// in RPyC the ways out of it.
bool HasRow(Preset preset, const ServerMode& mode, const Ends& ends, Writes writes) {
  if (preset == Preset::kFull) return true;
  if (preset == Preset::kQuick) {
    return mode.protocol == Protocol::kRpyc && writes == Writes::kSplit &&
           ends.client == ends.server;
  }
  if (ends.client != ends.server) return false;
  if (mode.protocol == Protocol::kRpyc) return !ends.client || writes == Writes::kSplit;
  return !ends.client && writes == Writes::kSplit;
}

// `server_flags` are added to those that every row has.
template <class Client>
void RegisterEcho(const Suite& suite, const ServerMode& mode, const Ends& ends,
                  std::string_view writes, std::uint64_t bytes, const net::SocketPolicy& client,
                  const std::vector<std::string>& server_flags) {
  const auto payload = service::Payload::Of(suite.options.payload, bytes);
  RegisterCallRow<Client>(
      suite,
      "SocketPolicy/" + std::string(mode.name) + "/nodelay:" + std::string(ends.name) + "/" +
          std::string(writes) + "/echo/" + std::to_string(bytes),
      mode,
      {.warmup_calls = kWarmupCalls,
       .bytes_per_call = bytes,
       .tail = Tail::kP50,
       .client = {.socket = client},
       .server_flags = server_flags},
      suite.options.requests, [payload](Client& c) { return c.Echo(payload); },
      [payload](std::string_view reply) { return payload.Matches(reply); });
}

template <class Client>
void RegisterNative(const Suite& suite, const ServerMode& mode) {
  for (const Ends& ends : {kNone, kClient, kServer, kBoth}) {
    for (const Writes writes : {Writes::kJoined, Writes::kSplit, Writes::kCorked}) {
      if (!HasRow(suite.options.preset, mode, ends, writes)) continue;
      RegisterEcho<Client>(suite, mode, ends, ToString(writes), kBytes,
                           {.nodelay = ends.client, .writes = writes, .quick_ack = false},
                           {ends.server ? "--nodelay=on" : "--nodelay=off",
                            "--writes=" + std::string(ToString(writes)), "--quick_ack=off"});
    }
  }
}

void RegisterSocketPolicy(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("SocketPolicy", suite.options.preset, mode)) return;
    if (!mode.software.is_python()) return RegisterNative<Client>(suite, mode);
    // Python's RPyC as it is: no TCP_NODELAY, and long messages in pieces.
    for (const Ends& ends : {kNone, kClient}) {
      RegisterEcho<Client>(suite, mode, ends, "as_library", kPythonBytes,
                           {.nodelay = ends.client, .quick_ack = false}, {});
    }
  });
}

}  // namespace

extern const BenchmarkType kSocketPolicyType{
    {.name = "SocketPolicy",
     .timed = "one echo; which end sets TCP_NODELAY × how a message is written",
     .variants = "`nodelay:<none|client|server|both>/<joined|split|corked>/echo/1024`; "
                 "`pyrpyc_threaded` `as_library`"},
    RegisterSocketPolicy};

}  // namespace rpycbench
