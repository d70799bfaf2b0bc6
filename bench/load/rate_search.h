// The search for the highest rate that meets an objective, by bisection between nothing and a rate
// that is known not to be exceeded. What a probe does is the caller's business.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

namespace rpycbench {

struct FoundRate {
  double per_second;
  std::size_t probes;  // made in all
};

// Bisects 7 times. A rate that failed is probed once more before it counts as one that fails, for a
// disturbance from outside would otherwise halve the result. Then `confirm` is invoked with the
// best rate, and with a tenth less as long as it fails, up to 5 times. Both are invoked with a rate
// and return whether it meets the objective. Empty if none did; `probes` is then in `*made`.
std::optional<FoundRate> FindHighestRate(double most_per_second,
                                         const std::function<bool(double)>& probe,
                                         const std::function<bool(double)>& confirm,
                                         std::size_t* made);

}  // namespace rpycbench
