// Tests that delays take the times of their distribution. The expected values are analytic, and the
// cycle of quantiles must meet them to within half a stratum.
#include "servers/service/delay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

namespace rpycbench::service {
namespace {

using Clock = std::chrono::steady_clock;

DelayDistribution Parse(const char* text) { return DelayDistribution::Parse(text); }

double SecondsOf(const Delay& delay) {
  const auto start = Clock::now();
  delay.Apply();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

TEST(DelayDistributionTest, AConstantIsOneTime) {
  const DelayDistribution constant = Parse("constant:250");
  EXPECT_EQ(constant.quantiles_us(), std::vector<double>{250});
  EXPECT_EQ(constant.MeanUs(), 250);
  EXPECT_EQ(constant.PercentileUs(1), 250);
  EXPECT_EQ(constant.PercentileUs(99.9), 250);
}

TEST(DelayDistributionTest, AUniformOneMeetsItsAnalyticValues) {
  const DelayDistribution uniform = Parse("uniform:400:1200");
  ASSERT_EQ(uniform.quantiles_us().size(), DelayDistribution::kCycle);
  EXPECT_TRUE(std::ranges::is_sorted(uniform.quantiles_us()));
  const double half_stratum = 800.0 / DelayDistribution::kCycle / 2 + 1e-6;
  EXPECT_NEAR(uniform.MeanUs(), 800, 1e-6);
  for (const double percent : {10.0, 50.0, 95.0, 99.0}) {
    EXPECT_NEAR(uniform.PercentileUs(percent), 400 + 8 * percent, half_stratum) << percent;
  }
}

TEST(DelayDistributionTest, AnExponentialOneMeetsItsAnalyticValues) {
  const DelayDistribution exponential = Parse("exponential:300");
  // The middles of the strata are below the means of the strata. The mean of a cycle is therefore
  // about 300 µs * ln 2 / 2 / kCycle too low.
  EXPECT_NEAR(exponential.MeanUs(), 300, 300 * std::log(2.0) / 2 / DelayDistribution::kCycle * 1.1);
  for (const double percent : {50.0, 95.0}) {
    const double analytic = -300 * std::log(1 - percent / 100);
    EXPECT_NEAR(exponential.PercentileUs(percent), analytic, analytic / 50) << percent;
  }
  // Near the end a stratum is wide: the 198th of 200 has its middle at 98.75 %.
  EXPECT_NEAR(exponential.PercentileUs(99), -300 * std::log(0.0125), 1e-6);
}

TEST(DelayDistributionTest, ABimodalOneHasTwoTimes) {
  const DelayDistribution bimodal = Parse("bimodal:300:1500:10");
  EXPECT_EQ(std::ranges::count(bimodal.quantiles_us(), 300), DelayDistribution::kCycle * 9 / 10);
  EXPECT_EQ(std::ranges::count(bimodal.quantiles_us(), 1500), DelayDistribution::kCycle / 10);
  EXPECT_NEAR(bimodal.MeanUs(), 420, 1e-6);
  EXPECT_EQ(bimodal.PercentileUs(50), 300);
  EXPECT_EQ(bimodal.PercentileUs(90), 300);
  EXPECT_EQ(bimodal.PercentileUs(95), 1500);
}

TEST(DelayDistributionTest, WhatIsNoneIsRefusedInOneLine) {
  for (const char* text :
       {"", "constant", "constant:", "constant:x", "constant:-1", "constant:nan", "constant:1:2",
        "constant:1e9", "uniform:1", "uniform:2:1", "uniform:1:2:", "exponential:", "gauss:1:2",
        "bimodal:1:2", "bimodal:1:2:101", " constant:1"}) {
    EXPECT_THAT([&] { Parse(text); }, testing::ThrowsMessage<DelayError>(testing::AllOf(
                                          testing::HasSubstr("uniform:<low_us>:<high_us>"),
                                          testing::Not(testing::HasSubstr("\n")))))
        << '"' << text << '"';
  }
}

TEST(DelayTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "sleep", "spin:", "doze:constant:1", "stall:100", "stall:0:0",
                           "stall:100:100", "stall:100:-1", "stall:10:1:1", "constant:1"}) {
    EXPECT_THROW(Delay{text}, DelayError) << text;
  }
}

// A cycle of calls has every quantile once, wherever it begins, so its sum is known.
TEST(DelayTest, EveryCycleOfCallsTakesTheSameTimes) {
  const Delay delay("spin:uniform:0:100");
  SecondsOf(delay);
  SecondsOf(delay);
  std::vector<double> times;
  for (std::size_t i = 0; i < DelayDistribution::kCycle; ++i) times.push_back(SecondsOf(delay));
  std::ranges::sort(times);
  const DelayDistribution truth = Parse("uniform:0:100");
  for (std::size_t i = 0; i < times.size(); ++i) {
    // Once sorted, no time is shorter than its quantile. The machine may have made some longer.
    ASSERT_GE(times[i] * 1e6, truth.quantiles_us()[i] - 0.001) << i;
  }
  EXPECT_LT(times[times.size() / 2] * 1e6, 75);
}

TEST(DelayTest, ASpinKeepsTheCpuBusyAndASleepDoesNot) {
  const auto busy_seconds = [](const Delay& delay) {
    timespec before;
    timespec after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    delay.Apply();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) +
           static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9;
  };
  EXPECT_LT(busy_seconds(Delay("sleep:constant:50000")), 0.01);
  EXPECT_GE(SecondsOf(Delay("sleep:constant:50000")), 0.05);
  EXPECT_GE(SecondsOf(Delay("spin:constant:50000")), 0.05);
  EXPECT_GT(busy_seconds(Delay("spin:constant:50000")), 0.005);
}

// Every thread that calls during the stall waits until its end. A later call does not wait.
TEST(DelayTest, AStallEndsForAllAtOnceOnTheClocksGrid) {
  using std::chrono_literals::operator""ms;
  const Delay delay("stall:400:200");
  const auto into = [](Clock::time_point at) { return at.time_since_epoch() % 400ms; };
  std::this_thread::sleep_for(400ms - into(Clock::now()) + 20ms);  // until a stall is under way
  std::vector<Clock::time_point> ends(3);
  std::vector<std::thread> threads;
  for (Clock::time_point& end : ends) {
    threads.emplace_back([&] {
      delay.Apply();
      end = Clock::now();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Clock::time_point end : ends) EXPECT_GE(into(end), 200ms);
  const auto before = Clock::now();
  delay.Apply();
  const auto after = Clock::now();
  if (into(before) >= 200ms && into(before) < 350ms) {
    EXPECT_LT(after - before, 150ms);
  }
}

}  // namespace
}  // namespace rpycbench::service
