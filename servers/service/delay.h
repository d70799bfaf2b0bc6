// Known delays of the operation `ping`, so that reported times can be compared with the truth. A
// distribution is played as a cycle of its quantiles: one from each of kCycle equal strata, in a
// fixed shuffled order. Any kCycle calls in a row therefore take the same times, wherever they
// begin. The mean and percentiles of whole cycles are known without sampling noise. A stall is
// different: the whole server stops answering at known moments.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace rpycbench::service {

// The text is neither a delay nor a distribution. The message says in one line what is valid.
class DelayError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// A distribution of times, in µs.
class DelayDistribution {
 public:
  static constexpr std::size_t kCycle = 200;

  // Parses "constant:<us>", "uniform:<low_us>:<high_us>", "exponential:<mean_us>" or
  // "bimodal:<us>:<us>:<percent that take the second>". Times may be up to 10 s. Throws DelayError.
  static DelayDistribution Parse(std::string_view text);

  // Returns the quantiles at the middles of the strata, in ascending order; one for a constant.
  const std::vector<double>& quantiles_us() const { return quantiles_us_; }
  // Return the mean and a percentile of whole cycles, in µs. The percentile is by nearest rank.
  double MeanUs() const;
  double PercentileUs(double percent) const;

 private:
  explicit DelayDistribution(std::vector<double> quantiles_us);

  std::vector<double> quantiles_us_;
};

class Delay {
 public:
  // Parses one of the following. Throws DelayError.
  //   sleep:<distribution>            sleeps
  //   spin:<distribution>             keeps the CPU busy until the clock says so
  //   stall:<every_ms>:<length_ms>    answers nothing for `length` from each multiple of `every` on
  //                                   steady_clock; the length must be the shorter
  explicit Delay(std::string_view spec);
  Delay(const Delay&) = delete;
  Delay& operator=(const Delay&) = delete;

  // Waits as long as the next call has to take. Any thread or coroutine may call it.
  //
  // A sleep lets other coroutines run where the operation `sleep` does. It stays awake for its last
  // millisecond, because timers are late. A stall holds the thread in every model.
  void Apply() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Kind { kSleep, kSpin, kStall };

  void ReadStall(std::string_view text);
  Clock::duration Next() const;
  void AwaitEndOfStall() const;

  Kind kind_;
  std::vector<Clock::duration> cycle_;
  mutable std::atomic<std::size_t> next_{0};
  Clock::duration every_{};
  Clock::duration length_{};
};

}  // namespace rpycbench::service
