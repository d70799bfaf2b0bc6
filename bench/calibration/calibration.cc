#include "bench/calibration/calibration.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "fixtures/meter/validity.h"
#include "servers/service/delay.h"

namespace rpycbench {

using std::chrono::nanoseconds;

namespace {

nanoseconds FromUs(double us) {
  return std::chrono::round<nanoseconds>(std::chrono::duration<double, std::micro>(us));
}

}  // namespace

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

std::vector<Statistic> Compare(const KnownDelay& delay, const std::vector<nanoseconds>& after_pause,
                               Samples& measured) {
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  Samples expected;
  expected.Reset(distribution.quantiles_us().size() * after_pause.size());
  for (const double us : distribution.quantiles_us()) {
    for (const nanoseconds more : after_pause) expected.Add(FromUs(us) + more);
  }
  const double clock_us = static_cast<double>(ClockResolution().count()) / 1e3;
  std::vector<Statistic> statistics;
  const auto add = [&](std::string_view name, double is_true, double came_out) {
    statistics.push_back({name, is_true, came_out, kTolerance * is_true + clock_us});
  };
  add("mean", expected.MeanUs(), measured.MeanUs());
  const double count = static_cast<double>(measured.count());
  for (const auto& [name, percent] : {std::pair("p50", 50), {"p95", 95}, {"p99", 99}}) {
    // A percentile is one of the samples, which is the middle of its share of the distribution.
    const double rank = std::ceil(count * percent / 100);
    add(name, *expected.PercentileUs(100 * (rank - 0.5) / count), *measured.PercentileUs(percent));
  }
  return statistics;
}

std::vector<Probe::Pause> PausesOf(const KnownDelay& delay) {
  // As in servers/service/delay.cc, which stays awake for the last millisecond of a sleep.
  constexpr nanoseconds kAwakeAfterSleep = std::chrono::milliseconds(1);
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  std::vector<Probe::Pause> pauses;
  for (const double us : distribution.quantiles_us()) {
    const nanoseconds time = FromUs(us);
    const nanoseconds awake = delay.kind == "sleep" ? std::min(time, kAwakeAfterSleep) : time;
    pauses.push_back({time - awake, awake});
  }
  return pauses;
}

void PausedProbe::Ping(const Probe::Pause& pause) {
  without_pause_.Add(probe_.Ping({}));
  lost_.Take();
  const nanoseconds time = probe_.Ping(pause);
  const nanoseconds lost = lost_.Take() - pause.asleep;
  least_lost_ = std::min(lost, least_lost_.value_or(lost));
  if (!after_pause_ || lost <= *least_lost_ + kWakeUps) after_pause_ = time;
}

}  // namespace rpycbench
