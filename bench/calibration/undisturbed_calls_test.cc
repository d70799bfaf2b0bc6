#include "bench/calibration/undisturbed_calls.h"

#include <gtest/gtest.h>

namespace rpycbench {
namespace {

using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;

// Adds a window in which every call loses 20 us, except one.
void AddWindow(UndisturbedCalls& calls, std::size_t places, std::chrono::nanoseconds time,
               std::size_t disturbed, std::chrono::nanoseconds lost) {
  for (std::size_t i = 0; i < places; ++i) {
    if (i == disturbed) {
      calls.Add(time + lost, 20us + lost);
    } else {
      calls.Add(time, 20us);
    }
  }
}

TEST(UndisturbedCallsTest, ACallOfALaterWindowReplacesADisturbedOne) {
  UndisturbedCalls calls(20);
  AddWindow(calls, 20, 5ms, 3, 2ms);
  EXPECT_EQ(calls.Disturbed(), 1u);
  EXPECT_EQ(calls.All().count(), 19u);
  EXPECT_DOUBLE_EQ(calls.OneOfEachPlace().MaxUs(), 7'000);
  AddWindow(calls, 20, 6ms, 4, 3ms);
  EXPECT_EQ(calls.Disturbed(), 0u);
  Samples chosen = calls.OneOfEachPlace();
  EXPECT_EQ(chosen.count(), 20u);
  EXPECT_DOUBLE_EQ(chosen.MeanUs(), (19 * 5'000 + 6'000) / 20.0);
}

TEST(UndisturbedCallsTest, ASlowCallThatLostNothingStays) {
  UndisturbedCalls calls(20);
  for (int i = 0; i < 40; ++i) calls.Add(i == 3 ? 50ms : 5ms, 20us);
  EXPECT_EQ(calls.Disturbed(), 0u);
  EXPECT_DOUBLE_EQ(calls.OneOfEachPlace().MaxUs(), 50'000);
}

TEST(UndisturbedCallsTest, ASleepIsNoLoss) {
  UndisturbedCalls sleeps(20);
  for (int i = 0; i < 20; ++i) sleeps.Add(10ms, 9ms + std::chrono::microseconds(i));
  EXPECT_EQ(sleeps.Disturbed(), 0u);
}

TEST(UndisturbedCallsTest, WhereAllAreDisturbedTheOneThatLostLeastCounts) {
  UndisturbedCalls calls(20);
  AddWindow(calls, 20, 5ms, 3, 4ms);
  AddWindow(calls, 20, 5ms, 3, 2ms);
  AddWindow(calls, 20, 5ms, 3, 3ms);
  EXPECT_EQ(calls.Disturbed(), 1u);
  EXPECT_DOUBLE_EQ(calls.OneOfEachPlace().MaxUs(), 7'000);
}

TEST(UndisturbedCallsTest, TheLastWindowMayBeUnfinished) {
  UndisturbedCalls calls(20);
  for (int i = 0; i < 12; ++i) calls.Add(5ms, 20us);
  EXPECT_EQ(calls.OneOfEachPlace().count(), 12u);
  EXPECT_EQ(calls.Disturbed(), 8u);
}

}  // namespace
}  // namespace rpycbench
