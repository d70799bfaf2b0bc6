// A known time that the operation `ping` is made to take, so that what a benchmark reports can be
// held against what is true. A distribution is drawn as a cycle of its quantiles, one of each of
// kCycle equal strata in a fixed shuffled order: every kCycle calls in a row have the same times,
// wherever they begin, so that mean and percentiles of whole cycles are known without sampling
// noise. A stall is the other kind: the whole server stops answering at known moments.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace rpycbench::service {

// A text that is no delay or distribution; says in one line what would be valid.
class DelayError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// Times by their distribution, in µs.
class DelayDistribution {
 public:
  static constexpr std::size_t kCycle = 200;

  // "constant:<us>", "uniform:<low_us>:<high_us>", "exponential:<mean_us>" or
  // "bimodal:<us>:<us>:<percent that take the second>"; times up to 10 s. Throws DelayError.
  static DelayDistribution Parse(std::string_view text);

  // The quantiles of the strata's middles in ascending order; one for a constant.
  const std::vector<double>& quantiles_us() const { return quantiles_us_; }
  // Of whole cycles. The percentile is by nearest rank.
  double MeanUs() const;
  double PercentileUs(double percent) const;

 private:
  explicit DelayDistribution(std::vector<double> quantiles_us);

  std::vector<double> quantiles_us_;
};

class Delay {
 public:
  // "sleep:<distribution>", "spin:<distribution>", which keeps the CPU busy until the clock says
  // so, or "stall:<every_ms>:<length_ms>": from each multiple of `every` on steady_clock, nothing
  // is answered for `length`, which is the shorter one. Throws DelayError.
  explicit Delay(std::string_view spec);
  Delay(const Delay&) = delete;
  Delay& operator=(const Delay&) = delete;

  // Takes as long as the next call has to; from any thread or fiber. A sleep lets other fibers go
  // on where the operation sleep does, and is awake for its last millisecond, since timers are
  // late. A stall holds the thread in every model. Throws std::system_error if a fiber gets no
  // timer.
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
