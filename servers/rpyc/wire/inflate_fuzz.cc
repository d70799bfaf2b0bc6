// Fuzzes both directions of compression against zlib. A stream inflates here exactly if zlib
// inflates it, to the same bytes, within the limit, and however it is cut. zlib inflates what is
// compressed here. The input serves first as a zlib stream and then as plain bytes.
#include <zlib.h>

#include <optional>
#include <string>
#include <vector>

#include "servers/fuzz/property.h"
#include "servers/rpyc/wire/deflate.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;
using fuzz::Cuts;

constexpr std::size_t kLimit = 64 * 1024;

// Returns the inflated bytes, or nothing if the stream is refused.
std::optional<std::string> Inflated(Inflater& inflater, std::string_view stream, Cuts cuts) {
  net::Buffer out;
  try {
    inflater.Begin(out, kLimit);
    cuts.Split(stream, [&](std::string_view piece) { inflater.Feed(piece); });
    inflater.Finish();
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
  Check(out.size() <= kLimit, "inflating keeps to the limit");
  return std::string(out.view());
}

// Returns the inflated bytes, or nothing if the stream is not one whole zlib stream or exceeds the
// limit.
std::optional<std::string> InflatedByZlib(std::string_view stream) {
  std::string plain(kLimit + 1, '\0');
  uLongf plain_size = plain.size();
  uLong stream_size = stream.size();
  if (uncompress2(reinterpret_cast<Bytef*>(plain.data()), &plain_size,
                  reinterpret_cast<const Bytef*>(stream.data()), &stream_size) != Z_OK ||
      stream_size != stream.size() || plain_size > kLimit) {
    return std::nullopt;
  }
  plain.resize(plain_size);
  return plain;
}

std::string Compressed(std::string_view plain, Cuts cuts) {
  std::vector<iovec> pieces;
  cuts.Split(plain, [&](std::string_view piece) {
    pieces.push_back({const_cast<char*>(piece.data()), piece.size()});
  });
  net::Buffer out;
  Deflater deflater;
  deflater.Compress(pieces, out);
  return std::string(out.view());
}

void Fuzz(std::string_view input) {
  const std::uint64_t seed = fuzz::Hash(input);
  // One inflater serves all streams, because it must not remember the previous one.
  Inflater inflater;
  const auto whole = Inflated(inflater, input, Cuts::Whole());
  Check(Inflated(inflater, input, Cuts::SingleBytes()) == whole, "bytes inflate like the whole");
  Check(Inflated(inflater, input, Cuts::Random(seed)) == whole, "pieces inflate like the whole");
  Check(InflatedByZlib(input) == whole, "zlib has the same opinion of the stream");

  const std::string packed = Compressed(input, Cuts::Random(seed));
  Check(InflatedByZlib(packed) == input, "zlib inflates what is compressed here");
  Check(Inflated(inflater, packed, Cuts::Random(seed)) == input, "compressed bytes come back");
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }
