#include "bench/calibration/calibration.h"

#include <cmath>
#include <cstdio>
#include <utility>

#include "servers/service/delay.h"

namespace rpycbench {

bool Statistic::Holds() const { return std::abs(measured - expected) <= allowed; }

std::string Calibration::Misses() const {
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

std::vector<Statistic> Compare(const KnownDelay& delay, double floor_us, Samples& measured) {
  const auto distribution = service::DelayDistribution::Parse(delay.distribution);
  std::vector<Statistic> statistics;
  const auto add = [&](std::string_view name, double is_true, double came_out) {
    statistics.push_back({name, is_true, came_out, kTolerance * is_true + floor_us});
  };
  add("mean", distribution.MeanUs(), measured.MeanUs());
  for (const auto& [name, percent] : {std::pair("p50", 50), {"p95", 95}, {"p99", 99}}) {
    add(name, distribution.PercentileUs(percent), *measured.PercentileUs(percent));
  }
  return statistics;
}

}  // namespace rpycbench
