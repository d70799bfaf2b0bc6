// Tests the text helpers, including the boundaries of UTF-8 and of the integer types.
#include "servers/net/text.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace rpycbench {
namespace {

TEST(ParseWholeTest, TakesANumberThatIsAllOfTheText) {
  EXPECT_EQ(ParseWhole<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseWhole<std::uint32_t>("4294967295"), UINT32_MAX);
  EXPECT_EQ(ParseWhole<double>("2.5e3"), 2500);
}

TEST(ParseWholeTest, RefusesAnythingElse) {
  for (const char* text : {"", " 1", "1 ", "1x", "+1", "x", "4294967296", "1.5"}) {
    EXPECT_EQ(ParseWhole<std::uint32_t>(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseWhole<std::uint32_t>("-1"), std::nullopt);
  EXPECT_EQ(ParseWhole<double>("1e999"), std::nullopt);
}

TEST(EnumNamesTest, FindsNamesAndValues) {
  enum class Color { kRed, kGreen };
  constexpr EnumNames<Color, 2> kNames{{"red", "green"}};
  EXPECT_EQ(kNames[Color::kRed], "red");
  EXPECT_EQ(kNames[Color::kGreen], "green");
  EXPECT_TRUE(kNames.Find("green") == Color::kGreen);
  EXPECT_FALSE(kNames.Find("blue").has_value());
}

TEST(PrintableTextTest, KeepsText) {
  const std::string text = "Grüße, €, 𝄞\n\tdone";
  EXPECT_EQ(PrintableText(text), text);
}

TEST(PrintableTextTest, ReplacesEveryOtherByte) {
  EXPECT_EQ(PrintableText(std::string("a\0b\x7f\x1b\r", 6)), "a?b???");
  EXPECT_EQ(PrintableText("\xc2\x9b\x33\xc2\xa0"), "??3\xc2\xa0");  // a terminal CSI; U+00A0
  EXPECT_EQ(PrintableText("\xff\xc3"), "??");                       // not a first byte; cut short
  EXPECT_EQ(PrintableText("\xc0\xaf"), "??");                       // overlong
  EXPECT_EQ(PrintableText("\xe0\x80\xaf"), "???");                  // overlong
  EXPECT_EQ(PrintableText("\xed\xa0\x80"), "???");                  // a surrogate
  EXPECT_EQ(PrintableText("\xf4\x90\x80\x80"), "????");             // beyond the last code point
  EXPECT_EQ(PrintableText("\xe2\x82x"), "??x");
}

TEST(OneLineTest, HasSpacesForLineBreaksAndTabsWithin) {
  EXPECT_EQ(OneLine("lost\r\n\tat sea, 5 €\n\n"), "lost   at sea, 5 €");
  EXPECT_EQ(OneLine("\x1b[31m\xff"), "?[31m?");
  EXPECT_EQ(OneLine("\n"), "");
}

TEST(JoinTest, LeavesOutEmptyWords) {
  EXPECT_EQ(Join({"", "a", "", "b", "c", ""}, ", "), "a, b, c");
  EXPECT_EQ(Join({}, ", "), "");
}

}  // namespace
}  // namespace rpycbench
