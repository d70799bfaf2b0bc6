#include "servers/rpyc/wire/envelope.h"

#include <string>

#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

constexpr char kTupleOfThree = 0x12;  // the first byte of a 5.x message

MessageType CheckedType(std::int64_t type) {
  if (type < 1 || type > 3) {
    throw ProtocolError("envelope: unknown message type " + std::to_string(type));
  }
  return static_cast<MessageType>(type);
}

std::int64_t CheckedSequence(const Value& value) {
  if (!value.is(Kind::kInt) || value.integer() < 0) {
    throw ProtocolError("envelope: the sequence number is not a number");
  }
  return value.integer();
}

template <class TupleHead>
void WriteHead(Dialect dialect, MessageType type, std::int64_t sequence, MessageWriter& out,
               TupleHead write_tuple_head) {
  const int number = static_cast<int>(type);
  if (dialect == Dialect::k5) {
    write_tuple_head(3, out);
    out.Byte(brine::SmallInt(number));
  } else {
    out.Byte(static_cast<char>(number));
    write_tuple_head(2, out);
  }
  brine::WriteInt(sequence, out);
}

std::span<const Value> Items(const Value& value, std::size_t count) {
  if (!value.is(Kind::kTuple) || value.items().size() != count) {
    throw ProtocolError("envelope: not a tuple of " + std::to_string(count));
  }
  return value.items();
}

}  // namespace

std::string_view NameOf(Handler handler) {
  constexpr std::string_view kNames[] = {
      "PING",     "CLOSE",   "GETROOT",  "GETATTR",    "DELATTR", "SETATTR",      "CALL",
      "CALLATTR", "REPR",    "STR",      "CMP",        "HASH",    "DIR",          "PICKLE",
      "DEL",      "INSPECT", "BUFFITER", "OLDSLICING", "CTXEXIT", "INSTANCECHECK"};
  return kNames[static_cast<std::size_t>(handler) - static_cast<std::size_t>(Handler::kPing)];
}

Dialect DetectDialect(std::string_view payload) {
  const char first = payload.empty() ? '\0' : payload.front();
  if (first == kTupleOfThree) return Dialect::k5;
  if (first >= 1 && first <= 3) return Dialect::k6;
  throw ProtocolError("envelope: the message is in neither dialect");
}

Envelope ReadEnvelope(Dialect dialect, std::string_view payload, Arena& arena,
                      const brine::ReadLimits& limits) {
  if (dialect == Dialect::k5) {
    const auto items = Items(brine::Read(payload, arena, limits), 3);
    if (!items[0].is(Kind::kInt)) throw ProtocolError("envelope: the message type is not a number");
    return {CheckedType(items[0].integer()), CheckedSequence(items[1]), items[2]};
  }
  if (payload.empty()) throw ProtocolError("envelope: the message is empty");
  const MessageType type = CheckedType(payload.front());
  const auto items = Items(brine::Read(payload.substr(1), arena, limits), 2);
  return {type, CheckedSequence(items[0]), items[1]};
}

void WriteEnvelopeHead(Dialect dialect, MessageType type, std::int64_t sequence,
                       MessageWriter& out) {
  WriteHead(dialect, type, sequence, out, brine::WriteTupleHead);
}

void WriteLongEnvelopeHead(Dialect dialect, MessageType type, std::int64_t sequence,
                           MessageWriter& out) {
  WriteHead(dialect, type, sequence, out, brine::WriteLongTupleHead);
}

}  // namespace rpycbench::rpyc
