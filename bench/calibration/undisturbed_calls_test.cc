#include "bench/calibration/undisturbed_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rpycbench {
namespace {

using std::chrono::milliseconds;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;

constexpr std::size_t kPlaces = 4;

// Adds a call at each place. The call at the place 2 is disturbed for so long.
void AddWindow(UndisturbedCalls& calls, milliseconds time, milliseconds disturbed) {
  for (std::size_t place = 0; place < kPlaces; ++place) {
    const milliseconds more = place == 2 ? disturbed : 0ms;
    calls.Add({time + more, 20us + more, 80us});
  }
}

std::vector<std::int64_t> Milliseconds(const std::vector<UndisturbedCalls::Call>& calls) {
  std::vector<std::int64_t> times;
  for (const auto& call : calls) times.push_back(duration_cast<milliseconds>(call.time).count());
  return times;
}

TEST(UndisturbedCallsTest, ACallOfALaterWindowReplacesADisturbedOne) {
  UndisturbedCalls calls(kPlaces, 1);
  EXPECT_EQ(calls.Missing(), 4u);
  AddWindow(calls, 5ms, 2ms);
  EXPECT_EQ(calls.Missing(), 1u);
  EXPECT_THAT(Milliseconds(calls.Best()), testing::ElementsAre(5, 5, 7, 5));
  AddWindow(calls, 6ms, 0ms);
  EXPECT_EQ(calls.Missing(), 0u);
  EXPECT_THAT(Milliseconds(calls.Best()), testing::ElementsAre(5, 5, 6, 5));
}

TEST(UndisturbedCallsTest, ASlowCallThatLostNothingStays) {
  UndisturbedCalls calls(kPlaces, 1);
  for (std::size_t i = 0; i < 2 * kPlaces; ++i) calls.Add({i == 1 ? 50ms : 5ms, 20us, 80us});
  EXPECT_EQ(calls.Missing(), 0u);
  EXPECT_THAT(Milliseconds(calls.Best()), testing::ElementsAre(5, 50, 5, 5));
}

TEST(UndisturbedCallsTest, ASleepIsNoDisturbance) {
  UndisturbedCalls calls(1, 3);
  for (const auto lost : {9'010us, 9'030us, 9'900us, 9'000us}) calls.Add({10ms, lost, 80us});
  EXPECT_EQ(calls.Missing(), 0u);
  EXPECT_EQ(calls.Best().size(), 3u);
  EXPECT_EQ(calls.Best()[2].lost, 9'000us);
}

TEST(UndisturbedCallsTest, WhereAllAreDisturbedThoseThatLostLeastCount) {
  UndisturbedCalls calls(kPlaces, 1);
  for (const auto disturbed : {4ms, 2ms, 3ms}) AddWindow(calls, 5ms, disturbed);
  EXPECT_EQ(calls.Missing(), 1u);
  EXPECT_THAT(Milliseconds(calls.Best()), testing::ElementsAre(5, 5, 7, 5));
}

TEST(UndisturbedCallsTest, TheWindowMayBeUnfinished) {
  UndisturbedCalls calls(kPlaces, 1);
  EXPECT_TRUE(calls.Best().empty());
  calls.Add({5ms, 20us, 80us});
  EXPECT_EQ(calls.Best().size(), 1u);
  EXPECT_EQ(calls.Missing(), 3u);
}

}  // namespace
}  // namespace rpycbench
