#include "bench/load/arrivals.h"

#include <cmath>
#include <random>

namespace rpycbench {
namespace {

// Returns an exponentially distributed gap with mean 1. The standard library's own distribution
// differs between platforms.
double NextGap(std::mt19937_64& random) {
  const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;  // below 1
  return -std::log1p(-uniform);
}

// Returns the ends of all gaps but the last, which runs to the window's end. Gaps that are scaled
// to fill a window divide it as independent, uniformly distributed moments do.
std::vector<double> PoissonMoments(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> moments(count);
  double total = 0;
  for (double& moment : moments) moment = total += NextGap(random);
  total += NextGap(random);
  for (double& moment : moments) moment *= static_cast<double>(count) / total;
  return moments;
}

}  // namespace

std::vector<std::chrono::nanoseconds> Schedule(Arrivals arrivals, double per_second,
                                               std::size_t count, std::uint64_t seed) {
  std::vector<double> moments;  // in units of the mean gap
  if (arrivals == Arrivals::kPoisson) {
    moments = PoissonMoments(count, seed);
  } else {
    for (std::size_t i = 0; i < count; ++i) moments.push_back(static_cast<double>(i) + 0.5);
  }
  std::vector<std::chrono::nanoseconds> schedule;
  schedule.reserve(count);
  for (const double moment : moments) {
    schedule.emplace_back(std::llround(moment / per_second * 1e9));
  }
  return schedule;
}

}  // namespace rpycbench
