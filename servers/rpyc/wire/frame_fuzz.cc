// Fuzzes frames. A stream of bytes gives the same payloads and ends in the same way however its
// receives are cut. No payload exceeds the limit. Frames that are written from these payloads, and
// from the input as one more, give the payloads again.
#include <string>
#include <vector>

#include "servers/fuzz/stream.h"
#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/frame.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;
using fuzz::Cuts;
using fuzz::Stream;

enum class End { kClean, kRefused, kEarly };

struct Received {
  std::vector<std::string> payloads;
  End end = End::kClean;
  friend bool operator==(const Received&, const Received&) = default;
};

Received ReceiveAll(std::string_view bytes, const Cuts& cuts) {
  Stream stream(bytes, cuts);
  const Limits limits = FuzzLimits();
  FrameReader reader(stream.socket(), limits, false);
  Received received;
  FrameStorage storage;
  try {
    while (reader.Read(storage, FrameReader::Idle::kFail)) {
      Check(!storage.payload.empty(), "a payload has a byte at least");
      Check(storage.payload.size() <= static_cast<std::size_t>(limits.max_message_bytes),
            "a payload keeps to the limit");
      received.payloads.emplace_back(storage.payload);
    }
  } catch (const ProtocolError&) {
    received.end = End::kRefused;
  } catch (const net::EndOfStream&) {
    received.end = End::kEarly;
  }
  return received;
}

std::string Sent(const std::vector<std::string>& payloads, Compression compression) {
  Stream stream({}, Cuts::Whole());
  FrameWriter writer(stream.socket(), compression);
  for (const std::string& payload : payloads) {
    writer.Begin().Refer(payload);
    // Uses both ways of sending, in any order.
    payload.size() % 2 == 0 ? writer.Send() : writer.SendLater();
  }
  writer.Flush();
  return std::string(stream.sent());
}

void Fuzz(std::string_view input) {
  const std::uint64_t seed = fuzz::Hash(input);
  Received received = ReceiveAll(input, Cuts::Whole());
  Check(ReceiveAll(input, Cuts::SingleBytes()) == received, "bytes are read like the whole");
  Check(ReceiveAll(input, Cuts::Random(seed)) == received, "pieces are read like the whole");

  received.end = End::kClean;
  if (!input.empty() && input.size() <= static_cast<std::size_t>(FuzzLimits().max_message_bytes)) {
    received.payloads.emplace_back(input);
  }
  for (const Compression compression : {Compression::kPython, Compression::kOff}) {
    const std::string sent = Sent(received.payloads, compression);
    Check(ReceiveAll(sent, Cuts::Random(seed)) == received, "what is sent is received");
  }
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }
