#include "bench/calibration.h"

#include <cmath>
#include <cstdio>

#include "servers/service/delay.h"

namespace rpycbench {

bool Statistic::Holds() const { return std::abs(measured - expected) <= kTolerance * expected; }

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

std::vector<Statistic> Compare(const Truth& truth, Samples& floor, Samples& measured) {
  const auto distribution = service::DelayDistribution::Parse(truth.distribution);
  // The median, not the mean, of the floor: its outliers are no part of every call.
  const double floor_us = *floor.PercentileUs(50);
  std::vector<Statistic> statistics{{"mean", distribution.MeanUs() + floor_us, measured.MeanUs()}};
  const struct {
    std::string_view name;
    double percent;
  } percentiles[] = {{"p50", 50}, {"p95", 95}, {"p99", 99}};
  for (const auto& [name, percent] : percentiles) {
    statistics.push_back(
        {name, distribution.PercentileUs(percent) + floor_us, *measured.PercentileUs(percent)});
  }
  return statistics;
}

}  // namespace rpycbench
