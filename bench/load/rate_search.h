// The search for the highest rate that meets an objective, by bisection between zero and a rate
// that is known not to be exceeded. The caller supplies the probe.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

namespace rpycbench {

struct FoundRate {
  double per_second;
  std::size_t probes;  // the total made
};

// Bisects 7 times. A rate that failed is probed once more before it counts as failed, because a
// disturbance from outside would otherwise halve the result. Then `confirm` is invoked with the
// best rate, and with a tenth less as long as it fails, up to 5 times. Both functions take a rate
// and return whether it meets the objective. Returns nothing if no rate met it; `*made` then has
// the number of probes.
std::optional<FoundRate> FindHighestRate(double most_per_second,
                                         const std::function<bool(double)>& probe,
                                         const std::function<bool(double)>& confirm,
                                         std::size_t* made);

}  // namespace rpycbench
