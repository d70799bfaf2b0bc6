#include "bench/types/open_loop_row.h"

#include <algorithm>

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
}

}  // namespace rpycbench
