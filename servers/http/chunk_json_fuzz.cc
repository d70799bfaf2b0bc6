// Fuzzes chunk documents. An accepted document must be accepted however it is cut, and its digits
// must add up to the decoded bytes. The encoder's document for chunks must decode to the same
// chunks; the input chooses their sizes.
#include <optional>

#include "servers/fuzz/property.h"
#include "servers/http/chunk_json.h"
#include "servers/http/hex.h"

namespace rpycbench::http {
namespace {

using fuzz::Check;
using fuzz::Cuts;

constexpr ChunkDecoder::Limits kLimits{.max_bytes = 100, .max_chunks = 20};

enum class Verdict { kAccepted, kMalformed, kTooLarge };

struct Decoded {
  explicit Decoded(Verdict reached) : verdict(reached) {}

  Verdict verdict;
  std::string bytes;
  std::uint64_t chunks = 0;
  std::optional<std::uint64_t> cut;  // the size of all chunks but the last, if they agree

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded Decode(std::string_view document, Cuts cuts) {
  net::Buffer bytes;
  ChunkDecoder decoder(bytes, kLimits);
  try {
    cuts.Split(document, [&](std::string_view piece) { decoder.Feed(piece); });
    decoder.Finish();
  } catch (const ChunkError&) {
    return Decoded(Verdict::kMalformed);
  } catch (const ChunkLimitError&) {
    return Decoded(Verdict::kTooLarge);
  }
  Check(bytes.size() <= kLimits.max_bytes, "the bytes keep to their limit");
  Check(decoder.chunk_count() <= kLimits.max_chunks, "the chunks keep to their limit");
  Decoded decoded(Verdict::kAccepted);
  decoded.bytes = bytes.view();
  decoded.chunks = decoder.chunk_count();
  for (std::uint64_t size = 1; size <= bytes.size() && !decoded.cut; ++size) {
    if (decoder.CutEvery(size)) decoded.cut = size;
  }
  return decoded;
}

// Returns the number of hex digits between quotes, without those of the key.
std::size_t DigitsIn(std::string_view document) {
  std::size_t digits = 0;
  document.remove_prefix(document.find('['));
  for (const char c : document) digits += IsHexDigit(c) ? 1 : 0;
  return digits;
}

void FuzzDocument(std::string_view document) {
  const Decoded whole = Decode(document, Cuts::Whole());
  Check(Decode(document, Cuts::SingleBytes()) == whole, "bytes are decoded like the whole");
  Check(Decode(document, Cuts::Random(fuzz::Hash(document))) == whole,
        "pieces are decoded like the whole");
  if (whole.verdict != Verdict::kAccepted) return;
  Check(DigitsIn(document) == 2 * whole.bytes.size(), "two digits make a byte");
  Check(
      Decode(document.substr(0, document.rfind('}')), Cuts::Whole()).verdict == Verdict::kMalformed,
      "a document cut short is refused");
}

std::string Encode(const service::Chunks& chunks, Cuts cuts) {
  ChunkEncoder encoder(chunks);
  std::string document;
  char block[4096];
  for (;;) {
    const std::size_t room =
        std::min(sizeof block, ChunkEncoder::kMinimumRoom + cuts.Next() % sizeof block);
    const std::size_t size = encoder.Encode(block, room);
    if (size == 0) break;
    Check(size <= room, "the encoder keeps to its room");
    document.append(block, size);
  }
  Check(document.size() == encoder.document_bytes(), "the document is as long as announced");
  return document;
}

void FuzzEncoder(std::uint64_t seed) {
  const std::size_t size = seed % (kLimits.max_bytes + 1);
  const std::size_t least = (size + kLimits.max_chunks - 1) / kLimits.max_chunks;
  const std::size_t chunk_bytes = std::max<std::size_t>(least, 1) + (seed >> 20) % 200;
  const service::Chunks chunks{service::Payload::Of(service::PayloadKind::kRandom, size),
                               chunk_bytes};
  const std::string document = Encode(chunks, Cuts::Random(seed));
  Check(document.size() <= ChunkDecoder::MaxDocumentBytes(kLimits), "the longest is known");
  const Decoded decoded = Decode(document, Cuts::Random(seed));
  Check(decoded.verdict == Verdict::kAccepted, "what is encoded is accepted");
  Check(decoded.bytes == chunks.whole.ToString(), "what is encoded comes back");
  Check(decoded.chunks == chunks.count(), "as many chunks come back");
}

void Fuzz(std::string_view input) {
  FuzzDocument(input);
  FuzzEncoder(fuzz::Hash(input));
}

}  // namespace
}  // namespace rpycbench::http

void rpycbench::fuzz::Run(std::string_view input) { http::Fuzz(input); }
