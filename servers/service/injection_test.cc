#include "servers/service/injection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace rpycbench::service {
namespace {

using Clock = std::chrono::steady_clock;

// Of many attempts the least, which nobody interrupted.
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
  for (const char* text : {"spin:1", "spin:10000000000", "syscall", "alloc"}) {
    const auto injection = Injection::Parse(text);
    ASSERT_TRUE(injection) << text;
    EXPECT_TRUE(*injection) << text;
    EXPECT_FALSE(injection->lengthens_replies()) << text;
  }
  EXPECT_TRUE(Injection::Parse("bytes")->lengthens_replies());
}

TEST(InjectionTest, AnythingElseIsRefused) {
  for (const char* text :
       {"", "spin", "spin:", "spin:0", "spin:-1", "spin:1.5", "spin:1e3", "spin: 1", "spin:1us",
        "spin:5%", "spin:10000000001", "spin:99999999999999999999", "Syscall", "bytes:1", "byte"}) {
    EXPECT_FALSE(Injection::Parse(text)) << text;
  }
}

TEST(InjectionTest, ASpinTakesItsTime) {
  // Two looks at the clock are part of it, two more are this test's.
  const auto clock = LeastTime(*Injection::Parse("spin:1"));
  for (const int ns : {500, 1'300, 20'000}) {
    const auto took = LeastTime(*Injection::Parse("spin:" + std::to_string(ns)));
    EXPECT_GE(took, std::chrono::nanoseconds(ns));
    EXPECT_LE(took, std::chrono::nanoseconds(ns) + clock + std::chrono::nanoseconds(50));
  }
}

}  // namespace
}  // namespace rpycbench::service
