// Tests the chunk document: exact text and length when encoding, any cut when decoding, and a clear
// error for any other text.
#include "servers/http/chunk_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "servers/net/testing/message_of.h"

namespace rpycbench::http {
namespace {

using service::Chunks;
using service::Payload;
using service::PayloadKind;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr ChunkDecoder::Limits kAmple{1 << 30, 1 << 20};

std::string Encode(const Chunks& chunks, std::size_t room) {
  ChunkEncoder encoder(chunks);
  std::string block(room, '?');
  std::string document;
  while (const std::size_t size = encoder.Encode(block.data(), room)) {
    EXPECT_LE(size, room);
    document.append(block, 0, size);
  }
  EXPECT_EQ(document.size(), encoder.document_bytes());
  return document;
}

std::string Decode(const std::vector<std::string>& pieces,
                   const ChunkDecoder::Limits& limits = kAmple) {
  net::Buffer bytes;
  ChunkDecoder decoder(bytes, limits);
  for (const std::string& piece : pieces) decoder.Feed(piece);
  decoder.Finish();
  return std::string(bytes.view());
}

TEST(ChunkEncoder, WritesTheDocument) {
  EXPECT_EQ(Encode({Payload::Of(PayloadKind::kLetterX, 5), 2}, 4096),
            R"({"chunks":["7878","7878","78"]})");
  EXPECT_EQ(Encode({Payload::Of(PayloadKind::kLetterX, 2), 2}, 4096), R"({"chunks":["7878"]})");
  EXPECT_EQ(Encode({Payload::Of(PayloadKind::kLetterX, 0), 2}, 4096), R"({"chunks":[]})");
}

TEST(ChunkEncoder, TheBlocksSizeDoesNotMatter) {
  for (const std::size_t chunk_bytes : {1, 2, 29, 30, 31, 64, 999, 1000, 5000}) {
    const Chunks chunks{Payload::Of(PayloadKind::kRandom, 1000), chunk_bytes};
    const std::string whole = Encode(chunks, 1 << 16);
    for (std::size_t room = ChunkEncoder::kMinimumRoom; room < 140; ++room) {
      ASSERT_EQ(Encode(chunks, room), whole) << chunk_bytes << " in blocks of " << room;
    }
  }
}

TEST(ChunkEncoder, ChunksMayBeLargerThanAPayloadsPiece) {
  const Payload payload = Payload::Of(PayloadKind::kRandom, (3 << 20) + 17);
  const std::string document = Encode({payload, 2 << 20}, 256 << 10);
  EXPECT_TRUE(payload.Matches(Decode({document})));
}

TEST(ChunkDecoder, TakesADocumentCutAnywhere) {
  const Payload payload = Payload::Of(PayloadKind::kRandom, 40);
  const std::string document = Encode({payload, 16}, 4096);
  for (std::size_t cut = 0; cut <= document.size(); ++cut) {
    ASSERT_TRUE(payload.Matches(Decode({document.substr(0, cut), document.substr(cut)}))) << cut;
  }
  std::vector<std::string> letters;
  for (const char c : document) letters.emplace_back(1, c);
  EXPECT_TRUE(payload.Matches(Decode(letters)));
}

TEST(ChunkDecoder, TakesWhiteSpaceBothCasesAndEmptyChunks) {
  EXPECT_EQ(Decode({" {\n\"chunks\" :\t[ \"4A4b\" , \"\",\"4c\" ]\r\n} \n"}), "JKL");
  EXPECT_EQ(Decode({R"({"chunks":[]})"}), "");
  EXPECT_EQ(Decode({R"({"chunks": [ ] })"}), "");
}

TEST(ChunkDecoder, RefusesWhatIsNotADocument) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "ends early"},
      {"[", "expected '{', found '['"},
      {"{}", "expected '\"', found '}'"},
      {R"({"chunk":[]})", "the key \"chunks\""},
      {R"({"chunkss":[]})", "the key \"chunks\""},
      {R"({"chunks"  [)", "expected ':'"},
      {R"({"chunks":{})", "expected '['"},
      {R"({"chunks":null})", "expected '['"},
      {R"({"chunks":[,])", "expected a string"},
      {R"({"chunks":[17]})", "expected a string of hex digits, found '1'"},
      {R"({"chunks":["aa",]})", "expected a string"},
      {R"({"chunks":["aa" "bb"]})", "expected ',' or ']'"},
      {R"({"chunks":[["aa"]]})", "expected a string"},
      {R"({"chunks":["aax0"]})", "expected a hex digit, found 'x' at or after chunk 0"},
      {R"({"chunks":["aa","\u0061"]})", "found '\\' at or after chunk 1"},
      {"{\"chunks\":[\"aa\n\"]}", "odd number"},
      {"{\"chunks\":[\"a\n\"]}", "found byte 10"},
      {R"({"chunks":["aa","abc"]})", "chunk 1 has an odd number of digits"},
      {R"({"chunks":["aa"])", "ends early"},
      {R"({"chunks":["aa)", "ends early"},
      {R"({"chunks":["aa"],"more":1})", "expected '}', found ','"},
      {R"({"chunks":["aa"]}x)", "expected the end of the document, found 'x'"},
  };
  for (const auto& [document, complaint] : cases) {
    EXPECT_THAT([&text = document] { Decode({text}); },
                ThrowsMessage<ChunkError>(HasSubstr(complaint)))
        << document;
  }
}

TEST(ChunkDecoder, HoldsItsLimits) {
  const std::string document = R"({"chunks":["aabb","cc"]})";
  EXPECT_EQ(Decode({document}, {3, 2}), "\xaa\xbb\xcc");
  const auto complaint = [&](const ChunkDecoder::Limits& limits) {
    return MessageOf<ChunkLimitError>([&] { Decode({document}, limits); });
  };
  EXPECT_THAT(complaint({2, 2}), HasSubstr("more than 2 bytes"));
  EXPECT_THAT(complaint({3, 1}), HasSubstr("more than 1 chunks"));
  EXPECT_GE(ChunkDecoder::MaxDocumentBytes({3, 2}), document.size());
}

TEST(ChunkDecoder, KnowsWhereChunksWereCut) {
  const std::vector<std::tuple<std::string, std::uint64_t, bool>> cases = {
      {R"({"chunks":[]})", 2, true},
      {R"({"chunks":["aa"]})", 2, true},
      {R"({"chunks":["aabbcc"]})", 2, false},
      {R"({"chunks":["aabb","cc"]})", 2, true},
      {R"({"chunks":["aabb","ccdd"]})", 2, true},
      {R"({"chunks":["aabb","ccddee"]})", 2, false},
      {R"({"chunks":["aa","bbcc"]})", 2, false},
      {R"({"chunks":["aabb","cc","ddee"]})", 2, false},
      {R"({"chunks":["aabb","ccdd","ee"]})", 2, true},
      {R"({"chunks":["aabb","ccdd","ee"]})", 3, false},
  };
  for (const auto& [document, chunk_bytes, expected] : cases) {
    net::Buffer bytes;
    ChunkDecoder decoder(bytes, kAmple);
    decoder.Feed(document);
    decoder.Finish();
    EXPECT_EQ(decoder.CutEvery(chunk_bytes), expected) << document << " every " << chunk_bytes;
  }
}

}  // namespace
}  // namespace rpycbench::http
