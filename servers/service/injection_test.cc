// Tests which injections are accepted and what each costs. The timed tests take the shortest of
// many attempts, so other programs may interrupt them.
#include "servers/service/injection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rpycbench::service {
namespace {

using Clock = std::chrono::steady_clock;

// Returns the shortest of many attempts, which nothing interrupted.
Clock::duration LeastTime(const Injection& injection) {
  Clock::duration least = Clock::duration::max();
  for (int i = 0; i < 1000; ++i) {
    const auto start = Clock::now();
    injection.Apply();
    least = std::min(least, Clock::now() - start);
  }
  return least;
}

TEST(InjectionTest, NothingIsInjectedUnlessAskedFor) {
  const Injection nothing;
  EXPECT_FALSE(nothing);
  EXPECT_FALSE(nothing.lengthens_replies());
}

TEST(InjectionTest, EachKindIsRead) {
  for (const char* text : {"spin:1", "spin:10000000000", "spin:5:0.5", "spin:5:100", "syscall",
                           "syscall:50", "alloc", "alloc:1"}) {
    const auto injection = Injection::Parse(text);
    ASSERT_TRUE(injection) << text;
    EXPECT_TRUE(*injection) << text;
    EXPECT_FALSE(injection->lengthens_replies()) << text;
  }
  EXPECT_TRUE(Injection::Parse("bytes")->lengthens_replies());
}

TEST(InjectionTest, AnythingElseIsRefused) {
  for (const char* text : {"",
                           "spin",
                           "spin:",
                           "spin:0",
                           "spin:-1",
                           "spin:1.5",
                           "spin:1e3",
                           "spin: 1",
                           "spin:1us",
                           "spin:5%",
                           "spin:10000000001",
                           "spin:99999999999999999999",
                           "spin:5:",
                           "spin:5:0",
                           "spin:5:101",
                           "spin:5:x",
                           "spin:5:1:1",
                           "spin:5:nan",
                           "syscall:",
                           "syscall:0",
                           "alloc:1e9",
                           "Syscall",
                           "bytes:1",
                           "byte"}) {
    EXPECT_FALSE(Injection::Parse(text)) << text;
  }
}

TEST(InjectionTest, ASpinTakesItsTime) {
  // The spin reads the clock twice, and this test reads it twice more.
  const auto clock = LeastTime(*Injection::Parse("spin:1"));
  for (const int ns : {500, 1'300, 20'000}) {
    const auto took = LeastTime(*Injection::Parse("spin:" + std::to_string(ns)));
    EXPECT_GE(took, std::chrono::nanoseconds(ns));
    EXPECT_LE(took, std::chrono::nanoseconds(ns) + clock + std::chrono::nanoseconds(50));
  }
}

TEST(InjectionTest, AShareOfTheOperationsHasTheCostAtEvenDistances) {
  for (const auto& [percent, distance] :
       {std::pair("50", 2), std::pair("1", 100), std::pair("0.5", 200)}) {
    const auto injection = *Injection::Parse("spin:100000:" + std::string(percent));
    std::vector<int> since_the_last;
    for (int calls = 1; since_the_last.size() < 5; ++calls) {
      const auto start = Clock::now();
      injection.Apply();
      if (Clock::now() - start < std::chrono::microseconds(100)) continue;
      since_the_last.push_back(calls);
      calls = 0;
    }
    since_the_last.erase(since_the_last.begin());  // counted from where the previous one stopped
    // A stall of the machine is sometimes as long as a spin, and then makes a distance shorter.
    EXPECT_EQ(std::ranges::max(since_the_last), distance) << percent;
  }
}

}  // namespace
}  // namespace rpycbench::service
