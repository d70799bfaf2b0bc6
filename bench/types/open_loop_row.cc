#include "bench/types/open_loop_row.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "fixtures/meter/counters.h"
#include "fixtures/meter/placement.h"

namespace rpycbench {

Placement OpenLoopPlacement() {
  try {
    PlanCpus(Placement::kSplit);
    return Placement::kSplit;
  } catch (const OptionsError&) {
    return Placement::kShared;
  }
}

std::size_t CallsIn(double seconds, double per_second) {
  constexpr double kFewestCalls = 300;
  constexpr double kLongestSeconds = 2;
  const double usual = per_second * seconds;
  const double most = std::max(usual, per_second * kLongestSeconds);
  return static_cast<std::size_t>(std::max(1.0, std::clamp(kFewestCalls, usual, most)));
}

void SetOpenLoopCounters(benchmark::State& state, OpenLoopWindow& window) {
  const struct {
    const char* name;
    Samples& samples;
    double percent;
  } percentiles[] = {{counter::kServiceP50, window.services, 50},
                     {counter::kServiceP99, window.services, 99},
                     {counter::kLateP99, window.lateness, 99}};
  for (const auto& [name, samples, percent] : percentiles) {
    if (const auto value = samples.PercentileUs(percent)) state.counters[name] = *value;
  }
  state.counters[counter::kAchieved] = window.AnsweredPerSecond();
  state.counters[counter::kBacklogMax] = static_cast<double>(window.backlog_max);
  state.counters[counter::kBacklogEnd] = static_cast<double>(window.backlog_end);
  state.counters[counter::kUnanswered] = 100 * window.UnansweredShare();
  state.counters[counter::kRefused] = static_cast<double>(window.refused);
  state.counters[counter::kTimedOut] = static_cast<double>(window.timed_out);
  state.counters[counter::kGivenUp] = static_cast<double>(window.given_up());
}

void CheckAnswered(const OpenLoopWindow& window) {
  if (window.answered() > 0) return;
  throw std::runtime_error("none of " + std::to_string(window.asked) +
                           " calls was answered: " + std::to_string(window.refused) +
                           " were refused, " + std::to_string(window.timed_out) + " timed out, " +
                           std::to_string(window.given_up()) + " were given up");
}

}  // namespace rpycbench
