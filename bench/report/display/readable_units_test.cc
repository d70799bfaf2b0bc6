#include "bench/report/display/readable_units.h"

#include <gtest/gtest.h>

#include <limits>

namespace rpycbench {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(TimeTextTest, HasThreeDigitsAndAUnitThatFits) {
  const struct {
    double us;
    const char* text;
  } cases[] = {{0.0005, "0.500 ns"}, {0.85, "850 ns"},       {1, "1.00 µs"},
               {13.72, "13.7 µs"},   {999.4, "999 µs"},      {999.6, "1.00 ms"},
               {9.996, "10.0 µs"},   {0.9996, "1.00 µs"},    {4'560, "4.56 ms"},
               {131'400, "131 ms"},  {4'500'000, "4.50 s "}, {1'234'000'000, "1,230 s "}};
  for (const auto& [us, text] : cases) EXPECT_EQ(TimeText(us), text) << us;
}

TEST(TimeTextTest, ADashStandsWhereTheFigureWouldEnd) {
  EXPECT_EQ(TimeText(std::nullopt), "–   ");
  EXPECT_EQ(TimeText(kNan), "–   ");
  EXPECT_EQ(TimeText(0), "0 ns");
}

TEST(NumberTextTest, HasThreeDigitsAndThousands) {
  const struct {
    double value;
    const char* text;
  } cases[] = {{0, "0"},          {2, "2"},        {2.5, "2.50"},      {0.65738, "0.657"},
               {999.7, "1,000"},  {1049, "1,050"}, {72'730, "72,700"}, {1'234'567, "1,230,000"},
               {-1'234, "-1,230"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(NumberText(value), text) << value;
  EXPECT_EQ(NumberText(std::nullopt), "–");
}

TEST(RatioTextTest, IsAMultiple) {
  EXPECT_EQ(RatioText(1), "1.00×");
  EXPECT_EQ(RatioText(2.134), "2.13×");
  EXPECT_EQ(RatioText(0.0567), "0.06×");
  EXPECT_EQ(RatioText(27.46), "27.5×");
  EXPECT_EQ(RatioText(1'534), "1,530×");
  EXPECT_EQ(RatioText(std::nullopt), "–");
}

TEST(PercentTextTest, HasOneDecimal) {
  EXPECT_EQ(PercentText(0.0123), "1.2 %");
  EXPECT_EQ(PercentText(std::nullopt), "–");
}

}  // namespace
}  // namespace rpycbench
