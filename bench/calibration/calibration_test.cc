// Tests how a calibration and a self-check judge known samples, right ones and wrong ones.
#include "bench/calibration/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "bench/calibration/self_check_facts.h"
#include "servers/service/delay.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kFloorUs = 20;

// Returns a window with the delay's times on top of a floor of 20 us, stretched by `factor`.
Calibration CalibrationOf(const KnownDelay& delay, double factor) {
  const auto add = [](Samples& samples, double us) {
    samples.Add(std::chrono::round<std::chrono::nanoseconds>(
        std::chrono::duration<double, std::micro>(us)));
  };
  Samples measured;
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  for (std::size_t i = 0; i < delay.calls; ++i) {
    const auto& times = distribution.quantiles_us();
    add(measured, (times[i % times.size()] + kFloorUs) * factor);
  }
  Calibration result;
  result.statistics = Compare(delay, kFloorUs, measured);
  result.floor_p50_us = kFloorUs;
  result.windows = 1;
  return result;
}

SelfCheckFacts GoodFacts() {
  SelfCheckFacts facts;
  facts.clock = {.resolution_ns = 20, .reading_ns = 25};
  facts.timer = {.late_p50_us = 60, .late_p99_us = 90};
  facts.placements.push_back({.placement = Placement::kShared,
                              .unavailable = {},
                              .p50_us = 14,
                              .p99_us = 16,
                              .p50_deviation = 0.01,
                              .p10_deviation = 0.01,
                              .stolen = 0});
  facts.placements.push_back({.placement = Placement::kSplit, .unavailable = "needs 2 CPUs"});
  for (const KnownDelay& delay : kKnownDelays) {
    facts.calibrations.push_back({.placement = Placement::kShared,
                                  .delay = delay.name,
                                  .error = {},
                                  .result = CalibrationOf(delay, 1)});
  }
  return facts;
}

TEST(CalibrationTest, WindowsAreWholeCycles) {
  for (const KnownDelay& delay : kKnownDelays) {
    const auto cycle = service::DelayDistribution::Parse(delay.distribution).quantiles_us().size();
    EXPECT_EQ(delay.calls % cycle, 0u) << delay.name;
    EXPECT_GE(delay.calls, 100u) << delay.name;  // fewer have no p99
    EXPECT_NO_THROW(service::Delay(delay.ServerFlag().substr(8))) << delay.name;
  }
}

TEST(CalibrationTest, ThePlainTruthHolds) {
  for (const KnownDelay& delay : kKnownDelays) {
    const Calibration result = CalibrationOf(delay, 1);
    EXPECT_EQ(result.Misses(), "") << delay.name;
    ASSERT_THAT(result.statistics, SizeIs(4));
    for (const Statistic& statistic : result.statistics) {
      EXPECT_NEAR(statistic.expected + kFloorUs, statistic.measured, 0.01) << statistic.name;
    }
  }
  EXPECT_NEAR(CalibrationOf(kKnownDelays[0], 1).statistics[0].expected, 6'000, 0.01);
  EXPECT_NEAR(CalibrationOf(kKnownDelays[1], 1).statistics[0].expected, 5'200, 0.01);
}

TEST(CalibrationTest, AnErrorWithinTheToleranceHoldsAndALargerOneDoesNot) {
  for (const KnownDelay& delay : kKnownDelays) {
    EXPECT_EQ(CalibrationOf(delay, 1.019).Misses(), "") << delay.name;
    EXPECT_EQ(CalibrationOf(delay, 0.981).Misses(), "") << delay.name;
    for (const double factor : {0.965, 1.025}) {
      const std::string misses = CalibrationOf(delay, factor).Misses();
      for (const char* name : {"mean", "p50", "p95", "p99"}) {
        EXPECT_THAT(misses, HasSubstr(std::string(name) + " is ")) << delay.name;
      }
    }
  }
  EXPECT_THAT(CalibrationOf(kKnownDelays[0], 1.1).Misses(),
              HasSubstr("mean is 6622.0 us where 6000.0 us are true (+10.4 %)"));
}

TEST(SelfCheckTest, AGoodMachineIsFit) {
  const SelfCheckFacts facts = GoodFacts();
  EXPECT_TRUE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), IsEmpty());
  EXPECT_THAT(Describe(facts), HasSubstr("fit to measure: yes\n"));
}

TEST(SelfCheckTest, AWrongTruthIsTold) {
  SelfCheckFacts facts = GoodFacts();
  facts.calibrations[1].result = CalibrationOf(kKnownDelays[1], 1.05);
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), ElementsAre("1 of 3 known times came out wrong"));
  EXPECT_THAT(Describe(facts), HasSubstr("WRONG\n"));
  facts.calibrations[1].result.disturbed = true;
  EXPECT_THAT(Describe(facts), HasSubstr("WRONG, disturbed\n"));
  EXPECT_THAT(ReasonsAgainst(facts),
              ElementsAre("1 of 3 known times came out wrong while other programs had the CPU"));
  facts.calibrations[1].result.disturbed = false;
  EXPECT_THAT(Describe(facts),
              HasSubstr("fit to measure: no: 1 of 3 known times came out wrong\n"));
}

TEST(SelfCheckTest, ACalibrationThatFailedOrIsMissingDoesNotHold) {
  SelfCheckFacts facts = GoodFacts();
  facts.calibrations[0].error = "the server is gone";
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(Describe(facts), HasSubstr("the server is gone"));
  facts.calibrations.clear();
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), ElementsAre("nothing was calibrated"));
}

TEST(SelfCheckTest, NoiseIsAReasonAndNoWrongCalibration) {
  SelfCheckFacts facts = GoodFacts();
  facts.placements[0].p50_deviation = 0.2;
  facts.placements[0].stolen = 0.1;
  facts.timer.late_p99_us = 5'000;
  facts.clock.reading_ns = 2'000;
  EXPECT_TRUE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), ElementsAre("the clock is coarse or slow", "timers are late",
                                                 "CPU time was stolen in shared",
                                                 "medians differ from run to run in shared"));
}

TEST(SelfCheckTest, ItIsAScreenOfText) {
  std::istringstream text(Describe(GoodFacts()));
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) {
    EXPECT_LE(line.size(), 110u) << line;
    EXPECT_EQ(line.find_first_of("\t\r\x1b"), std::string::npos) << line;
  }
  EXPECT_LE(lines, 24);
}

TEST(SelfCheckTest, RelativeDeviationIsThatOfASample) {
  EXPECT_DOUBLE_EQ(RelativeDeviation({10, 10, 10}), 0);
  EXPECT_NEAR(RelativeDeviation({9, 11}), std::sqrt(2.0) / 10, 1e-12);
}

}  // namespace
}  // namespace rpycbench
