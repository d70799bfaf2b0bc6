// Tests that the cost of boxing grows with the values alone, however deep they are nested.
#include "servers/rpyc/boxing.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace rpycbench::rpyc {
namespace {

std::chrono::nanoseconds CpuTime() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// A boxed value, as a message brings it. References of the peer cannot be copied, so a tuple that
// has one is a tuple of boxed items.
class Boxed {
 public:
  // A tuple of numbers and one reference, the last item, in `depth` more tuples of one item each.
  Boxed(std::size_t numbers, std::size_t depth) {
    id_ = {Value::Text("builtins.list"), Value::Int(1), Value::Int(2)};
    for (std::size_t i = 0; i < numbers; ++i) AddItem(label::kValue, Value::Int(1));
    AddItem(label::kRemoteRef, Value::Tuple(id_));
    value_ = Pair(label::kTuple, Value::Tuple(items_));
    for (std::size_t i = 0; i < depth; ++i) {
      const Value& inner = outer_.emplace_back(value_);
      value_ = Pair(label::kTuple, Value::Tuple({&inner, 1}));
    }
  }
  const Value& value() const { return value_; }

 private:
  Value Pair(int label, const Value& content) {
    return Value::Tuple(pairs_.emplace_back(std::array{Value::Int(label), content}));
  }
  void AddItem(int label, const Value& content) { items_.push_back(Pair(label, content)); }

  std::array<Value, 3> id_;
  std::deque<std::array<Value, 2>> pairs_;
  std::vector<Value> items_;
  std::deque<Value> outer_;
  Value value_;
};

// Echoes values, as a server does if a peer asks for it. All of them use the same memory.
class Echo {
 public:
  // Returns the size of the answer in bytes.
  std::size_t operator()(const Boxed& boxed) {
    message_.Clear();
    out_.Clear(0);
    WriteBoxed(Unbox(boxed.value(), table_, message_), table_, out_);
    return out_.size();
  }
  // Returns the least CPU time of a few.
  std::chrono::nanoseconds Time(const Boxed& boxed) {
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < 10; ++i) {
      const auto start = CpuTime();
      (*this)(boxed);
      least = std::min(least, CpuTime() - start);
    }
    return least;
  }

 private:
  ObjectTable table_{1};
  Message message_;
  MessageWriter out_;
};

TEST(BoxingTest, NestedValuesAreExaminedOnce) {
  constexpr std::size_t kNumbers = 2'000, kDepth = 2'000;
  const Boxed flat(kNumbers, 0), nested(kNumbers, kDepth);
  Echo echo;
  EXPECT_GT(echo(nested), echo(flat) + 2 * kDepth) << "each level crosses";
  // Were the numbers examined on each level, the time would be 25 times as long or more.
  EXPECT_LT(echo.Time(nested), 5 * echo.Time(flat));
}

}  // namespace
}  // namespace rpycbench::rpyc
