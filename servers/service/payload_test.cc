// Tests that every view of a payload has the same bytes, and that a single wrong byte is found. The
// compression ratios are measured with zlib at level 1.
#include "servers/service/payload.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace rpycbench::service {
namespace {

constexpr std::size_t kBeyondTheBlock = 5'000'000;

std::string Gather(const Payload& payload) {
  std::vector<iovec> pieces;
  payload.AppendPieces(pieces);
  std::string text;
  for (const iovec& piece : pieces) text.append(static_cast<char*>(piece.iov_base), piece.iov_len);
  return text;
}

double DeflateRatio(const std::string& data) {
  uLongf size = compressBound(data.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(data.data()), data.size(), 1);
  return static_cast<double>(data.size()) / static_cast<double>(size);
}

class PayloadKindTest : public testing::TestWithParam<PayloadKind> {};

TEST_P(PayloadKindTest, PiecesContentAndComparisonAgree) {
  const Payload payload = Payload::Of(GetParam(), kBeyondTheBlock);
  const std::string text = payload.ToString();
  ASSERT_EQ(text.size(), kBeyondTheBlock);
  EXPECT_TRUE(Gather(payload) == text);
  EXPECT_TRUE(payload.Matches(text));
  EXPECT_FALSE(payload.Matches(std::string_view(text).substr(1)));
}

TEST_P(PayloadKindTest, EveryWrongByteShows) {
  const Payload payload = Payload::Of(GetParam(), kBeyondTheBlock);
  std::string text = payload.ToString();
  for (const std::size_t at : {std::size_t{0}, std::size_t{2'097'166}, kBeyondTheBlock - 1}) {
    text[at] ^= 1;
    EXPECT_FALSE(payload.Matches(text)) << at;
    text[at] ^= 1;
  }
}

TEST_P(PayloadKindTest, ChunksAreContiguousViewsOfTheWhole) {
  const Payload payload = Payload::Of(GetParam(), kBeyondTheBlock);
  const std::string text = payload.ToString();
  for (std::size_t offset = 0; offset + 1'000'000 <= kBeyondTheBlock; offset += 999'999) {
    EXPECT_TRUE(payload.Sub(offset, 1'000'000).contiguous() ==
                std::string_view(text).substr(offset, 1'000'000))
        << offset;
  }
}

INSTANTIATE_TEST_SUITE_P(All, PayloadKindTest,
                         testing::Values(PayloadKind::kZeros, PayloadKind::kText,
                                         PayloadKind::kRandom, PayloadKind::kLetterX));

TEST(PayloadTest, ContentsAreWhatTheirNamesSay) {
  EXPECT_EQ(Payload::Of(PayloadKind::kZeros, 3).ToString(), std::string(3, '\0'));
  EXPECT_EQ(Payload::Of(PayloadKind::kLetterX, 3).ToString(), "xxx");
  const double text = DeflateRatio(Payload::Of(PayloadKind::kText, 4 << 20).ToString());
  EXPECT_GT(text, 2.0);  // prose and logs reach 2 to 4
  EXPECT_LT(text, 4.0);
  EXPECT_LT(DeflateRatio(Payload::Of(PayloadKind::kRandom, 4 << 20).ToString()), 1.001);
}

TEST(PayloadTest, NamesAreParsedBack) {
  EXPECT_EQ(ParsePayloadKind("zeros"), PayloadKind::kZeros);
  EXPECT_EQ(ParsePayloadKind("text"), PayloadKind::kText);
  EXPECT_EQ(ParsePayloadKind("random"), PayloadKind::kRandom);
  EXPECT_EQ(ParsePayloadKind("x"), std::nullopt);
  EXPECT_EQ(ParsePayloadKind(""), std::nullopt);
}

TEST(PayloadTest, EmptyPayloadHasNoPieces) {
  EXPECT_EQ(Gather(Payload::Of(PayloadKind::kText, 0)), "");
  EXPECT_TRUE(Payload::Of(PayloadKind::kText, 0).Matches(""));
}

}  // namespace
}  // namespace rpycbench::service
