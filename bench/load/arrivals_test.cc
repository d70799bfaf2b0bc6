#include "bench/load/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace rpycbench {
namespace {

using std::chrono_literals::operator""ns;

TEST(ArrivalsTest, ConstantOnesStandInTheMiddlesOfEqualIntervals) {
  EXPECT_EQ(Schedule(Arrivals::kConstant, 1'000'000, 3, 1),
            (std::vector<std::chrono::nanoseconds>{500ns, 1'500ns, 2'500ns}));
}

TEST(ArrivalsTest, AWindowHasTheRateThatWasAskedFor) {
  for (const Arrivals arrivals : {Arrivals::kConstant, Arrivals::kPoisson}) {
    for (const std::size_t count : {1u, 2u, 1'000u}) {
      const auto schedule = Schedule(arrivals, 5'000, count, 7);
      ASSERT_EQ(schedule.size(), count);
      EXPECT_TRUE(std::ranges::is_sorted(schedule));
      EXPECT_GE(schedule.front(), 0ns);
      EXPECT_LE(std::chrono::duration<double>(schedule.back()).count(),
                static_cast<double>(count) / 5'000);
    }
  }
}

TEST(ArrivalsTest, ASeedGivesTheSameScheduleAndAnotherOneAnother) {
  const auto schedule = Schedule(Arrivals::kPoisson, 1'000, 100, 1);
  EXPECT_EQ(schedule, Schedule(Arrivals::kPoisson, 1'000, 100, 1));
  EXPECT_NE(schedule, Schedule(Arrivals::kPoisson, 1'000, 100, 2));
  EXPECT_EQ(schedule.front().count(), 151'173);  // on every platform
}

// In a Poisson process the gaps' mean equals their standard deviation, and 1/e of them are longer.
TEST(ArrivalsTest, PoissonGapsAreExponential) {
  constexpr std::size_t kCount = 100'000;
  const auto schedule = Schedule(Arrivals::kPoisson, 1'000, kCount, 3);
  double squares = 0;
  std::size_t longer = 0;
  for (std::size_t i = 1; i < kCount; ++i) {
    const double gap =
        std::chrono::duration<double, std::milli>(schedule[i] - schedule[i - 1]).count();
    squares += gap * gap;
    if (gap > 1) ++longer;
  }
  EXPECT_NEAR(std::sqrt(squares / kCount - 1), 1, 0.02);
  EXPECT_NEAR(static_cast<double>(longer) / kCount, std::exp(-1), 0.01);
}

}  // namespace
}  // namespace rpycbench
