// The envelope: the type of a frame's message and the number of the request it belongs to. Two
// dialects exist. rpyc 5.x sends the brine tuple (type, seq, body). rpyc 6.x sends the type as a
// raw byte and then the brine tuple (seq, body). The rest of a message is the same in both.
#pragma once

#include <cstdint>
#include <string_view>

#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/options.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

enum class MessageType : std::uint8_t { kRequest = 1, kReply = 2, kException = 3 };

// The operations that a request can ask for, by RPyC's numbers.
enum class Handler : std::uint8_t {
  kPing = 1,
  kClose,
  kGetRoot,
  kGetAttr,
  kDelAttr,
  kSetAttr,
  kCall,
  kCallAttr,
  kRepr,
  kStr,
  kCmp,
  kHash,
  kDir,
  kPickle,
  kDel,
  kInspect,
  kBuffIter,
  kOldSlicing,
  kCtxExit,
  kInstanceCheck,
};

// Returns the Python library's name of the handler, such as "GETATTR".
std::string_view NameOf(Handler handler);

struct Envelope {
  MessageType type;
  std::int64_t sequence;
  Value body;  // request: (handler, boxed arguments); reply: boxed result; exception: see vinegar
};

// Returns the dialect whose first message begins with this payload. Throws ProtocolError for
// neither.
Dialect DetectDialect(std::string_view payload);

// Reads a whole payload. The body points into the payload and into `arena`. Throws ProtocolError.
Envelope ReadEnvelope(Dialect dialect, std::string_view payload, Arena& arena,
                      const brine::ReadLimits& limits);

// Writes everything before the body to `out`. `dialect` must not be kAuto.
void WriteEnvelopeHead(Dialect dialect, MessageType type, std::int64_t sequence,
                       MessageWriter& out);
// Writes the same head in one byte more than necessary. Readers see the same message, but cannot
// detect a dialect from it.
void WriteLongEnvelopeHead(Dialect dialect, MessageType type, std::int64_t sequence,
                           MessageWriter& out);

}  // namespace rpycbench::rpyc
