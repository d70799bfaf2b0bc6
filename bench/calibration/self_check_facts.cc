#include "bench/calibration/self_check_facts.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <functional>
#include <string_view>

namespace rpycbench {
namespace {

// A machine within these limits is fit. They are far from what a machine has on its good and on its
// bad days, so that two checks agree. Every sample includes two readings of the clock.
constexpr double kMostReadingNs = 1'000;
constexpr double kMostResolutionNs = 1'000;
// The servers stay awake for the last millisecond of a sleep.
constexpr double kMostTimerLateP50Us = 1'000;
constexpr double kMostRatioUncertainty = 0.03;  // where client and server share a CPU
constexpr double kMostStolen = 0.1;

constexpr char kWait[] = "wait until other programs and guests are done";
constexpr char kOtherHost[] = "use a host that wakes its guests on time";
constexpr char kReport[] = "look for an error in the suite, and report it";

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
  return Format("  %-8s %10.1f us %10.1f us %13.1f %% %13.1f %%\n", Name(facts.placement).c_str(),
                facts.p50_us, facts.p99_us, facts.p50_spread * 100, facts.ratio_uncertainty * 100);
}

bool Holds(const CalibrationFacts& facts) {
  return facts.error.empty() && facts.result.Misses().empty();
}

std::string Describe(const CalibrationFacts& facts) {
  std::string line =
      Format("  %-8s %-15s", Name(facts.placement).c_str(), std::string(facts.delay).c_str());
  if (!facts.error.empty()) return line + " " + facts.error + "\n";
  for (const Statistic& statistic : facts.result.statistics) {
    line += Format("%8.1f %+5.2f%%", statistic.measured,
                   (statistic.measured / statistic.expected - 1) * 100);
  }
  if (!Holds(facts)) line += facts.result.disturbed > 0 ? " WRONG, disturbed" : " WRONG";
  return line + "\n";
}

}  // namespace

bool CalibrationHolds(const SelfCheckFacts& facts) {
  return !facts.calibrations.empty() && std::ranges::all_of(facts.calibrations, Holds);
}

std::vector<std::string> ReasonsAgainst(const SelfCheckFacts& facts) {
  std::vector<std::string> reasons;
  const auto unless = [&](bool fine, const std::string& reason, std::string_view remedy) {
    if (!fine) reasons.push_back(reason + " (" + std::string(remedy) + ")");
  };
  unless(facts.clock.resolution_ns <= kMostResolutionNs && facts.clock.reading_ns <= kMostReadingNs,
         "the clock is coarse or slow", doubt::kClockResolution.remedy);
  unless(facts.timer.late_p50_us <= kMostTimerLateP50Us, "timers are late", kOtherHost);
  unless(facts.stolen <= kMostStolen, "the host kept CPU time", doubt::kSteal.remedy);
  for (const PlacementFacts& placement : facts.placements) {
    if (!placement.unavailable.empty() || placement.placement != Placement::kShared) continue;
    unless(placement.ratio_uncertainty <= kMostRatioUncertainty,
           "ratios are uncertain even in alternation", kWait);
  }
  unless(!facts.calibrations.empty(), "nothing was calibrated", kReport);
  const auto wrong = std::ranges::count_if(facts.calibrations, std::not_fn(Holds));
  const bool disturbed =
      std::ranges::any_of(facts.calibrations, [](const CalibrationFacts& calibration) {
        return !Holds(calibration) && calibration.result.disturbed > 0;
      });
  unless(wrong == 0,
         std::to_string(wrong) + " of " + std::to_string(facts.calibrations.size()) +
             " known times came out wrong" + (disturbed ? " while others had the CPU" : ""),
         disturbed ? kWait : kReport);
  return reasons;
}

std::string Describe(const SelfCheckFacts& facts) {
  std::string text = "clock\n";
  text += Format("  resolution %.0f ns, a reading takes %.1f ns\n", facts.clock.resolution_ns,
                 facts.clock.reading_ns);
  text += "timer\n";
  text += Format("  a sleep of 1 ms ends late by %.1f us (p50), %.1f us (p99)\n",
                 facts.timer.late_p50_us, facts.timer.late_p99_us);
  text += "wake-up and noise: two ping-pongs without any protocol, which take turns\n";
  text += Format("  the host kept %.1f %% of the CPU time wanted during the check\n",
                 facts.stolen * 100);
  text +=
      Format("  %-8s %13s %13s %15s %15s\n", "", "p50", "p99", "p50 wanders by", "ratio within");
  for (const PlacementFacts& placement : facts.placements) text += Describe(placement);
  text += Format("calibration: known times, in us, and how far off (%.0f %% is allowed)\n",
                 kTolerance * 100);
  text += Format("  %-8s %-15s%8s         %8s        %8s        %8s\n", "", "", "mean", "p50",
                 "p95", "p99");
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
