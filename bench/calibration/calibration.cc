#include "bench/calibration/calibration.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "fixtures/meter/validity.h"
#include "servers/service/delay.h"

namespace rpycbench {

bool Statistic::Holds() const { return std::abs(measured - expected) <= allowed; }

std::string Calibration::Misses() const {
  if (statistics.empty()) return "no window ended in time";
  std::string misses;
  for (const Statistic& statistic : statistics) {
    if (statistic.Holds()) continue;
    char text[100];
    std::snprintf(text, sizeof text, "%s%s is %.1f us where %.1f us are true (%+.1f %%)",
                  misses.empty() ? "" : ", ", std::string(statistic.name).c_str(),
                  statistic.measured, statistic.expected,
                  (statistic.measured / statistic.expected - 1) * 100);
    misses += text;
  }
  return misses;
}

std::vector<Statistic> Compare(const KnownDelay& delay, double after_pause_us, Samples& measured) {
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  const double clock_us = static_cast<double>(ClockResolution().count()) / 1e3;
  std::vector<Statistic> statistics;
  const auto add = [&](std::string_view name, double delay_us, double came_out) {
    const double is_true = delay_us + after_pause_us;
    statistics.push_back({name, is_true, came_out, kTolerance * is_true + clock_us});
  };
  add("mean", distribution.MeanUs(), measured.MeanUs());
  for (const auto& [name, percent] : {std::pair("p50", 50), {"p95", 95}, {"p99", 99}}) {
    add(name, distribution.PercentileUs(percent), *measured.PercentileUs(percent));
  }
  return statistics;
}

std::vector<Probe::Pause> PausesOf(const KnownDelay& delay) {
  using std::chrono::nanoseconds;
  // As in servers/service/delay.cc, which stays awake for the last millisecond of a sleep.
  constexpr nanoseconds kAwakeAfterSleep = std::chrono::milliseconds(1);
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  std::vector<Probe::Pause> pauses;
  for (const double us : distribution.quantiles_us()) {
    const auto time =
        std::chrono::round<nanoseconds>(std::chrono::duration<double, std::micro>(us));
    const nanoseconds awake = delay.kind == "sleep" ? std::min(time, kAwakeAfterSleep) : time;
    pauses.push_back({time - awake, awake});
  }
  return pauses;
}

}  // namespace rpycbench
