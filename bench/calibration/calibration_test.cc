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
using std::chrono_literals::operator""us;

constexpr double kFloorUs = 20;
constexpr double kAfterPauseUs = 80;

// Returns a window with the delay's times, stretched by `factor`, and 80 us more each.
Calibration CalibrationOf(const KnownDelay& delay, double factor) {
  const auto add = [](Samples& samples, double us) {
    samples.Add(std::chrono::round<std::chrono::nanoseconds>(
        std::chrono::duration<double, std::micro>(us)));
  };
  Samples measured;
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  for (std::size_t i = 0; i < delay.calls; ++i) {
    const auto& times = distribution.quantiles_us();
    add(measured, times[i % times.size()] * factor + kAfterPauseUs);
  }
  Calibration result;
  result.statistics = Compare(delay, std::vector<std::chrono::nanoseconds>(100, 80us), measured);
  result.floor_p50_us = kFloorUs;
  result.after_pause_us = kAfterPauseUs;
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
                              .p50_spread = 0.01,
                              .ratio_uncertainty = 0.003});
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
      EXPECT_NEAR(statistic.expected, statistic.measured, 0.01) << statistic.name;
    }
  }
  EXPECT_NEAR(CalibrationOf(kKnownDelays[0], 1).statistics[0].expected, 6'080, 0.01);
  EXPECT_NEAR(CalibrationOf(kKnownDelays[1], 1).statistics[0].expected, 5'280, 0.01);
}

TEST(CalibrationTest, AnErrorWithinTheToleranceHoldsAndALargerOneDoesNot) {
  for (const KnownDelay& delay : kKnownDelays) {
    EXPECT_EQ(CalibrationOf(delay, 1.009).Misses(), "") << delay.name;
    EXPECT_EQ(CalibrationOf(delay, 0.991).Misses(), "") << delay.name;
    for (const double factor : {0.985, 1.015}) {
      const std::string misses = CalibrationOf(delay, factor).Misses();
      for (const char* name : {"mean", "p50", "p95", "p99"}) {
        EXPECT_THAT(misses, HasSubstr(std::string(name) + " is ")) << delay.name;
      }
    }
  }
  EXPECT_THAT(CalibrationOf(kKnownDelays[0], 1.1).Misses(),
              HasSubstr("mean is 6680.0 us where 6080.0 us are true (+9.9 %)"));
}

TEST(SelfCheckTest, AGoodMachineIsFit) {
  const SelfCheckFacts facts = GoodFacts();
  EXPECT_TRUE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), IsEmpty());
  EXPECT_THAT(Describe(facts), HasSubstr("fit to measure: yes\n"));
}

TEST(CalibrationTest, TailsOfTheCallsAfterAPauseAreInTheTails) {
  std::vector<std::chrono::nanoseconds> after_pause(100, 80us);
  after_pause[0] = after_pause[1] = after_pause[2] = 400us;
  Samples measured;
  for (int i = 0; i < 100; ++i) measured.Add(10'080us);
  const auto statistics = Compare(kKnownDelays[2], after_pause, measured);
  EXPECT_NEAR(statistics[0].expected, 10'089.6, 0.01);
  EXPECT_NEAR(statistics[1].expected, 10'080, 0.01);
  EXPECT_NEAR(statistics[3].expected, 10'400, 0.01);
}

TEST(CalibrationTest, TheProbePausesAsLongAsTheDelay) {
  for (const KnownDelay& delay : kKnownDelays) {
    std::chrono::nanoseconds sum{};
    const auto pauses = PausesOf(delay);
    for (const Probe::Pause& pause : pauses) {
      EXPECT_EQ(pause.asleep > std::chrono::nanoseconds(0), delay.kind == "sleep") << delay.name;
      sum += pause.asleep + pause.awake;
    }
    const double mean_us = service::DelayDistribution::Parse(delay.distribution).MeanUs();
    EXPECT_NEAR(static_cast<double>(sum.count()) / 1e3 / static_cast<double>(pauses.size()),
                mean_us, 0.01)
        << delay.name;
  }
}

TEST(CalibrationTest, AWindowThatDidNotEndIsAMiss) {
  EXPECT_EQ(Calibration{}.Misses(), "no window ended in time");
}

TEST(SelfCheckTest, AWrongTruthIsTold) {
  SelfCheckFacts facts = GoodFacts();
  facts.calibrations[1].result = CalibrationOf(kKnownDelays[1], 1.015);
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts),
              ElementsAre("1 of 3 known times came out wrong "
                          "(look for an error in the suite, and report it)"));
  EXPECT_THAT(Describe(facts), HasSubstr("WRONG\n"));
  EXPECT_THAT(Describe(facts),
              HasSubstr("fit to measure: no: 1 of 3 known times came out wrong (look"));
  facts.calibrations[1].result.disturbed = 3;
  EXPECT_THAT(Describe(facts), HasSubstr("WRONG, disturbed\n"));
  EXPECT_THAT(ReasonsAgainst(facts),
              ElementsAre("1 of 3 known times came out wrong while others had the CPU "
                          "(wait until other programs and guests are done)"));
}

TEST(SelfCheckTest, ADisturbedCalibrationMayHold) {
  SelfCheckFacts facts = GoodFacts();
  facts.calibrations[1].result.disturbed = 3;
  EXPECT_TRUE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), IsEmpty());
}

TEST(SelfCheckTest, ACalibrationThatFailedOrIsMissingDoesNotHold) {
  SelfCheckFacts facts = GoodFacts();
  facts.calibrations[0].error = "the server is gone";
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(Describe(facts), HasSubstr("the server is gone"));
  facts.calibrations.clear();
  EXPECT_FALSE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts), ElementsAre(HasSubstr("nothing was calibrated")));
}

TEST(SelfCheckTest, NoiseIsAReasonAndNoWrongCalibration) {
  SelfCheckFacts facts = GoodFacts();
  facts.placements[0].ratio_uncertainty = 0.05;
  facts.stolen = 0.2;
  facts.timer.late_p50_us = 5'000;
  facts.clock.reading_ns = 2'000;
  EXPECT_TRUE(CalibrationHolds(facts));
  EXPECT_THAT(ReasonsAgainst(facts),
              ElementsAre("the clock is coarse or slow "
                          "(measure on a machine whose clock source is tsc)",
                          "timers are late (use a host that wakes its guests on time)",
                          "the host kept CPU time (measure at another time, or on another host)",
                          "ratios are uncertain even in alternation "
                          "(wait until other programs and guests are done)"));
}

TEST(SelfCheckTest, PhasesOfTheMachineAndALateTimerNowAndThenAreNoReasons) {
  SelfCheckFacts facts = GoodFacts();
  facts.placements[0].p50_spread = 0.4;
  facts.timer.late_p99_us = 5'000;
  facts.stolen = 0.03;
  EXPECT_THAT(ReasonsAgainst(facts), IsEmpty());
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

}  // namespace
}  // namespace rpycbench
