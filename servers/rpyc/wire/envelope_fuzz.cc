// Fuzzes the envelope in both dialects. A message that can be read can be written. It reads back
// with the same type, number and body, in the dialect that its first byte shows.
#include <optional>

#include "servers/fuzz/property.h"
#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/envelope.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;

template <class Read>
auto Refusable(Read read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

std::optional<Envelope> TryRead(Dialect dialect, std::string_view payload, Arena& arena) {
  return Refusable([&] { return ReadEnvelope(dialect, payload, arena, kFuzzReadLimits); });
}

std::string Written(Dialect dialect, const Envelope& envelope) {
  MessageWriter out;
  out.Clear(0);
  WriteEnvelopeHead(dialect, envelope.type, envelope.sequence, out);
  brine::Write(envelope.body, out);
  return Flat(out);
}

void FuzzDialect(Dialect dialect, std::string_view payload) {
  Arena arena;
  const std::optional<Envelope> envelope = TryRead(dialect, payload, arena);
  if (!envelope) return;
  Check(envelope->type >= MessageType::kRequest && envelope->type <= MessageType::kException,
        "a message has one of three types");
  Check(envelope->sequence >= 0, "requests are numbered from 0");

  const std::string written = Written(dialect, *envelope);
  Check(written.size() < payload.size() || written == payload,
        "the writer takes the shortest form");
  Check(DetectDialect(written) == dialect, "what is written tells its dialect");
  Arena again;
  const std::optional<Envelope> read_back = TryRead(dialect, written, again);
  Check(read_back && read_back->type == envelope->type &&
            read_back->sequence == envelope->sequence && SameValue(read_back->body, envelope->body),
        "what is written reads back as the same message");
}

void Fuzz(std::string_view input) {
  Refusable([&] { return DetectDialect(input); });
  FuzzDialect(Dialect::k5, input);
  FuzzDialect(Dialect::k6, input);
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }
