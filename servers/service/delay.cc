#include "servers/service/delay.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "servers/net/linux_process.h"
#include "servers/net/text.h"
#include "servers/net/wait.h"

namespace rpycbench::service {
namespace {

constexpr double kMaxUs = 10e6;
constexpr char kDistributions[] =
    "constant:<us>, uniform:<low_us>:<high_us>, exponential:<mean_us> or "
    "bimodal:<us>:<us>:<percent of the second>";
constexpr char kDelays[] =
    "sleep:<distribution>, spin:<distribution> or stall:<every_ms>:<length_ms>";

[[noreturn]] void Refuse(std::string_view text, std::string_view valid) {
  throw DelayError('"' + std::string(text) + "\" is not valid; use " + std::string(valid));
}

// Returns the word before the first colon and the text after it.
std::pair<std::string_view, std::string_view> SplitKind(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// Returns the numbers between the colons, each from 0 to `most`; nothing if `text` has anything
// else.
std::vector<double> ParseNumbers(std::string_view text, double most) {
  std::vector<double> numbers;
  for (;;) {
    const std::string_view item = text.substr(0, text.find(':'));
    const auto number = ParseWhole<double>(item);
    if (!number || !(*number >= 0 && *number <= most)) return {};
    numbers.push_back(*number);
    if (item.size() == text.size()) return numbers;
    text.remove_prefix(item.size() + 1);
  }
}

// Returns the quantile function at the middle of each stratum.
template <class Quantile>
std::vector<double> Quantiles(Quantile quantile) {
  std::vector<double> quantiles(DelayDistribution::kCycle);
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    quantiles[i] = quantile((static_cast<double>(i) + 0.5) / static_cast<double>(quantiles.size()));
  }
  return quantiles;
}

std::chrono::steady_clock::duration FromUs(double us) {
  return std::chrono::round<std::chrono::nanoseconds>(
      std::chrono::duration<double, std::micro>(us));
}

// The timers of a virtual machine wake a sleeper late by about this much, so the rest is spent
// awake.
constexpr std::chrono::microseconds kTimersAreLate{1'000};

void SleepExactly(std::chrono::steady_clock::duration time) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + time;
  if (time > kTimersAreLate) {
    net::WakeOnTime();
    net::SleepFor(time - kTimersAreLate);
  }
  while (Clock::now() < end) net::Yield();
}

}  // namespace

DelayDistribution::DelayDistribution(std::vector<double> quantiles_us)
    : quantiles_us_(std::move(quantiles_us)) {
  std::ranges::sort(quantiles_us_);
}

DelayDistribution DelayDistribution::Parse(std::string_view text) {
  const auto [kind, rest] = SplitKind(text);
  const std::vector<double> numbers = ParseNumbers(rest, kMaxUs);
  if (kind == "constant" && numbers.size() == 1) return DelayDistribution(numbers);
  if (kind == "uniform" && numbers.size() == 2 && numbers[0] <= numbers[1]) {
    return DelayDistribution(
        Quantiles([&](double p) { return numbers[0] + p * (numbers[1] - numbers[0]); }));
  }
  if (kind == "exponential" && numbers.size() == 1) {
    return DelayDistribution(Quantiles([&](double p) { return -numbers[0] * std::log1p(-p); }));
  }
  if (kind == "bimodal" && numbers.size() == 3 && numbers[2] <= 100) {
    return DelayDistribution(
        Quantiles([&](double p) { return p < 1 - numbers[2] / 100 ? numbers[0] : numbers[1]; }));
  }
  Refuse(text, kDistributions);
}

double DelayDistribution::MeanUs() const {
  return std::accumulate(quantiles_us_.begin(), quantiles_us_.end(), 0.0) /
         static_cast<double>(quantiles_us_.size());
}

double DelayDistribution::PercentileUs(double percent) const {
  const double count = static_cast<double>(quantiles_us_.size());
  const auto rank = static_cast<std::size_t>(std::ceil(count * percent / 100 - 1e-9));
  return quantiles_us_[std::clamp<std::size_t>(rank, 1, quantiles_us_.size()) - 1];
}

Delay::Delay(std::string_view spec) {
  const auto [kind, rest] = SplitKind(spec);
  if (kind == "stall") {
    kind_ = Kind::kStall;
    ReadStall(rest);
    return;
  }
  if (kind != "sleep" && kind != "spin") Refuse(spec, kDelays);
  kind_ = kind == "sleep" ? Kind::kSleep : Kind::kSpin;
  const DelayDistribution distribution = DelayDistribution::Parse(rest);
  for (const double us : distribution.quantiles_us()) cycle_.push_back(FromUs(us));
  // The order is the same on every platform.
  std::mt19937 random(1);
  for (std::size_t left = cycle_.size(); left > 1; --left) {
    std::swap(cycle_[left - 1], cycle_[random() % left]);
  }
}

void Delay::ReadStall(std::string_view text) {
  const std::vector<double> numbers = ParseNumbers(text, kMaxUs / 1e3);
  if (numbers.size() != 2 || numbers[0] <= 0 || numbers[1] >= numbers[0]) {
    Refuse("stall:" + std::string(text),
           "stall:<every_ms>:<length_ms> with the length below the period");
  }
  every_ = FromUs(numbers[0] * 1e3);
  length_ = FromUs(numbers[1] * 1e3);
}

Delay::Clock::duration Delay::Next() const {
  return cycle_[next_.fetch_add(1, std::memory_order_relaxed) % cycle_.size()];
}

void Delay::AwaitEndOfStall() const {
  const Clock::duration now = Clock::now().time_since_epoch();
  const Clock::duration into = now % every_;
  if (into >= length_) return;
  net::WakeOnTime();
  const std::int64_t end = std::chrono::nanoseconds(now - into + length_).count();
  const timespec until{static_cast<time_t>(end / 1'000'000'000),
                       static_cast<long>(end % 1'000'000'000)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

void Delay::Apply() const {
  switch (kind_) {
    case Kind::kSleep:
      return SleepExactly(Next());
    case Kind::kSpin:
      for (const auto end = Clock::now() + Next(); Clock::now() < end;) {
      }
      return;
    case Kind::kStall:
      return AwaitEndOfStall();
  }
}

}  // namespace rpycbench::service
