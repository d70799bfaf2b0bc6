#include "bench/report/display/text_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rpycbench {
namespace {

using testing::ElementsAre;

TEST(DisplayWidthTest, CountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("13.7 µs"), 7);
  EXPECT_EQ(DisplayWidth("2.13×"), 5);
  EXPECT_EQ(DisplayWidth("–"), 1);
  EXPECT_EQ(DisplayWidth("\xe6\xb8"), 1);  // truncated: must not read beyond the end
}

TEST(AlignmentTest, FillsUpWithBlanks) {
  EXPECT_EQ(AlignedRight("1 µs", 6), "  1 µs");
  EXPECT_EQ(AlignedLeft("1 µs", 6), "1 µs  ");
  EXPECT_EQ(AlignedRight("longer", 3), "longer");
  EXPECT_EQ(AlignedLeft("longer", 3), "longer");
}

TEST(WrappedTest, BreaksWhereBlanksAre) {
  EXPECT_THAT(Wrapped("", 10), ElementsAre(""));
  EXPECT_THAT(Wrapped("wrong bytes", 11), ElementsAre("wrong bytes"));
  EXPECT_THAT(Wrapped("wrong bytes", 10), ElementsAre("wrong", "bytes"));
  EXPECT_THAT(Wrapped(" a\tb\n\nc  d ", 3), ElementsAre("a b", "c d"));
}

TEST(WrappedTest, BreaksAWordThatIsTooLongBehindASlashOrAnywhere) {
  EXPECT_THAT(Wrapped("in rpyc_threaded/upload_chunked/1024", 16),
              ElementsAre("in", "rpyc_threaded/", "upload_chunked/", "1024"));
  EXPECT_THAT(Wrapped("abcdefgh", 3), ElementsAre("abc", "def", "gh"));
  EXPECT_THAT(Wrapped("µµµµ", 3), ElementsAre("µµµ", "µ"));
  EXPECT_THAT(Wrapped("測定", 0), ElementsAre("測", "定"));  // at least one character
}

TEST(WrappedTest, LosesNothingAndIsNeverWider) {
  const std::string text =
      "no rate keeps p99 within 1000 µs; server: /usr/bin/bench_server --model=x";
  for (std::size_t width = 1; width < 80; ++width) {
    std::string all;
    for (const std::string& line : Wrapped(text, width)) {
      EXPECT_LE(DisplayWidth(line), width);
      all += line;
    }
    std::erase(all, ' ');
    std::string expected = text;
    std::erase(expected, ' ');
    EXPECT_EQ(all, expected) << width;
  }
}

}  // namespace
}  // namespace rpycbench
