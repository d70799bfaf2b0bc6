// Tests the histogram by what the Java library 2.1.11 made of the same times. Its encoding is
// decoded in bench/tests/distributions_test.py.
#include "bench/report/results/histogram.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>

namespace rpycbench {
namespace {

std::string PercentilesOf(const Histogram& histogram) {
  std::ostringstream text;
  histogram.WritePercentiles(text);
  return text.str();
}

// Returns the text after the line break with which a raw literal begins here.
std::string AfterFirstLine(std::string_view text) { return std::string(text.substr(1)); }

TEST(HistogramTest, TheTableOfPercentilesIsTheLibrarys) {
  Histogram histogram;
  for (const int ns : {900, 2'047, 2'048, 2'049, 2'050, 14'000, 14'000, 14'001, 1'234'567}) {
    histogram.Add(ns);
  }
  histogram.Add(5'000'000'000);
  EXPECT_EQ(histogram.count(), 10);
  EXPECT_EQ(histogram.longest_ns(), 5'000'000'000);
  EXPECT_EQ(PercentilesOf(histogram), AfterFirstLine(R"(
       Value     Percentile TotalCount 1/(1-Percentile)

       0.900 0.000000000000          1           1.00
       0.900 0.100000000000          1           1.11
       2.047 0.200000000000          2           1.25
       2.049 0.300000000000          4           1.43
       2.049 0.400000000000          4           1.67
       2.051 0.500000000000          5           2.00
      14.007 0.550000000000          8           2.22
      14.007 0.600000000000          8           2.50
      14.007 0.650000000000          8           2.86
      14.007 0.700000000000          8           3.33
      14.007 0.750000000000          8           4.00
      14.007 0.775000000000          8           4.44
      14.007 0.800000000000          8           5.00
    1234.943 0.825000000000          9           5.71
    1234.943 0.850000000000          9           6.67
    1234.943 0.875000000000          9           8.00
    1234.943 0.887500000000          9           8.89
    1234.943 0.900000000000          9          10.00
 5003804.671 0.912500000000         10          11.43
 5003804.671 1.000000000000         10
#[Mean    =   500299.306, StdDeviation   =  1500469.449]
#[Max     =  5003804.671, Total count    =           10]
#[Buckets =           23, SubBuckets     =         2048]
)"));
}

TEST(HistogramTest, OneTime) {
  Histogram histogram;
  histogram.Add(1'500);
  EXPECT_EQ(PercentilesOf(histogram), AfterFirstLine(R"(
       Value     Percentile TotalCount 1/(1-Percentile)

       1.500 0.000000000000          1           1.00
       1.500 1.000000000000          1
#[Mean    =        1.500, StdDeviation   =        0.000]
#[Max     =        1.500, Total count    =            1]
#[Buckets =            1, SubBuckets     =         2048]
)"));
}

TEST(HistogramTest, ATimeBelowZeroIsZero) {
  Histogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.count(), 1);
  EXPECT_EQ(histogram.longest_ns(), 0);
  EXPECT_TRUE(histogram.Encoded().starts_with("HISTFAAAA"));  // the cookie of compressed ones
}

}  // namespace
}  // namespace rpycbench
