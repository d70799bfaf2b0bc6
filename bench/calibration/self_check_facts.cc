#include "bench/calibration/self_check_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <numeric>

namespace rpycbench {
namespace {

// A machine within these limits is fit. Every sample includes two readings of the clock. Beyond the
// other limits, differences of a few percent become invisible.
constexpr double kMostReadingNs = 1'000;
constexpr double kMostResolutionNs = 1'000;
constexpr double kMostTimerLateP99Us = 2'000;
constexpr double kMostDeviation = 0.1;  // deviation of p50, where client and server share a CPU
constexpr double kMostStolen = 0.02;

__attribute__((format(printf, 1, 2))) std::string Format(const char* format, ...) {
  char text[160];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return text;
}

std::string Name(Placement placement) { return std::string(ToString(placement)); }

std::string Describe(const PlacementFacts& facts) {
  if (!facts.unavailable.empty()) {
    return Format("  %-8s %s\n", Name(facts.placement).c_str(), facts.unavailable.c_str());
  }
  return Format("  %-8s %10.1f us %10.1f us %13.1f %% %13.1f %% %9.1f %%\n",
                Name(facts.placement).c_str(), facts.p50_us, facts.p99_us,
                facts.p50_deviation * 100, facts.p10_deviation * 100, facts.stolen * 100);
}

bool Holds(const CalibrationFacts& facts) {
  return facts.error.empty() && facts.result.Misses().empty();
}

std::string Describe(const CalibrationFacts& facts) {
  std::string line =
      Format("  %-8s %-15s", Name(facts.placement).c_str(), std::string(facts.delay).c_str());
  if (!facts.error.empty()) return line + " " + facts.error + "\n";
  for (const Statistic& statistic : facts.result.statistics) {
    line += Format("%8.1f %+5.1f%%", statistic.measured,
                   (statistic.measured / statistic.expected - 1) * 100);
  }
  if (!Holds(facts)) line += facts.result.disturbed ? " WRONG, disturbed" : " WRONG";
  return line + "\n";
}

}  // namespace

double RelativeDeviation(const std::vector<double>& values) {
  const double count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1)) / mean;
}

bool CalibrationHolds(const SelfCheckFacts& facts) {
  return !facts.calibrations.empty() && std::ranges::all_of(facts.calibrations, Holds);
}

std::vector<std::string> ReasonsAgainst(const SelfCheckFacts& facts) {
  std::vector<std::string> reasons;
  const auto unless = [&](bool fine, std::string reason) {
    if (!fine) reasons.push_back(std::move(reason));
  };
  unless(facts.clock.resolution_ns <= kMostResolutionNs && facts.clock.reading_ns <= kMostReadingNs,
         "the clock is coarse or slow");
  unless(facts.timer.late_p99_us <= kMostTimerLateP99Us, "timers are late");
  for (const PlacementFacts& placement : facts.placements) {
    if (!placement.unavailable.empty()) continue;
    unless(placement.stolen <= kMostStolen, "CPU time was stolen in " + Name(placement.placement));
    unless(placement.placement != Placement::kShared || placement.p50_deviation <= kMostDeviation,
           "medians differ from run to run in " + Name(placement.placement));
  }
  unless(!facts.calibrations.empty(), "nothing was calibrated");
  const auto wrong = std::ranges::count_if(facts.calibrations, std::not_fn(Holds));
  const bool disturbed =
      std::ranges::any_of(facts.calibrations, [](const CalibrationFacts& calibration) {
        return !Holds(calibration) && calibration.result.disturbed;
      });
  unless(wrong == 0, std::to_string(wrong) + " of " + std::to_string(facts.calibrations.size()) +
                         " known times came out wrong" +
                         (disturbed ? " while other programs had the CPU" : ""));
  return reasons;
}

std::string Describe(const SelfCheckFacts& facts) {
  std::string text = "clock\n";
  text += Format("  resolution %.0f ns, a reading takes %.1f ns\n", facts.clock.resolution_ns,
                 facts.clock.reading_ns);
  text += "timer\n";
  text += Format("  a sleep of 1 ms ends late by %.1f us (p50), %.1f us (p99)\n",
                 facts.timer.late_p50_us, facts.timer.late_p99_us);
  text += "wake-up and noise: a ping-pong without any protocol, in short runs\n";
  text += Format("  %-8s %13s %13s %15s %15s %11s\n", "", "p50", "p99", "p50 varies by",
                 "p10 varies by", "stolen");
  for (const PlacementFacts& placement : facts.placements) text += Describe(placement);
  text += Format(
      "calibration: known times, in us, and how far off (%.0f %% and a plain call are allowed)\n",
      kTolerance * 100);
  text += Format("  %-8s %-15s%8s       %8s       %8s       %8s\n", "", "", "mean", "p50", "p95",
                 "p99");
  for (const CalibrationFacts& calibration : facts.calibrations) text += Describe(calibration);
  const std::vector<std::string> reasons = ReasonsAgainst(facts);
  text += "fit to measure: ";
  text += reasons.empty() ? "yes" : "no: ";
  for (const std::string& reason : reasons) {
    if (&reason != &reasons.front()) text += "; ";
    text += reason;
  }
  return text + "\n";
}

}  // namespace rpycbench
