#include "bench/load/rate_search.h"

#include <gtest/gtest.h>

namespace rpycbench {
namespace {

TEST(RateSearchTest, FindsAThresholdWithinOnePartIn128OfTheMost) {
  for (const double threshold : {1.0, 100.0, 777.0, 1'000.0}) {
    const auto below = [&](double rate) { return rate <= threshold; };
    std::size_t made = 0;
    const auto found = FindHighestRate(1'000, below, below, &made);
    if (threshold < 1'000.0 / 128) {
      EXPECT_FALSE(found) << threshold;
      EXPECT_EQ(made, 14u);
      continue;
    }
    ASSERT_TRUE(found) << threshold;
    EXPECT_LE(found->per_second, threshold);
    EXPECT_GE(found->per_second, threshold - 1'000.0 / 128);
    EXPECT_EQ(found->probes, made);
  }
}

TEST(RateSearchTest, OneDisturbanceDoesNotSpoilIt) {
  int calls = 0;
  std::size_t made = 0;
  const auto found = FindHighestRate(
      1'000, [&](double) { return ++calls != 1; }, [](double) { return true; }, &made);
  ASSERT_TRUE(found);
  EXPECT_GT(found->per_second, 990);
  EXPECT_EQ(made, 9u);
}

TEST(RateSearchTest, WhatIsNotConfirmedIsLoweredInBoundedSteps) {
  std::size_t made = 0;
  const auto yes = [](double) { return true; };
  const auto found = FindHighestRate(
      1'000, yes, [](double rate) { return rate < 850; }, &made);
  ASSERT_TRUE(found);
  EXPECT_NEAR(found->per_second, 992 * 0.81, 2);
  made = 0;
  EXPECT_FALSE(FindHighestRate(
      1'000, yes, [](double) { return false; }, &made));
  EXPECT_EQ(made, 12u);
}

}  // namespace
}  // namespace rpycbench
