// When the calls of an open loop are due: a schedule that is fixed before the first call is made,
// so that no answer, however late, can hold a later call back. The same seed gives the same
// schedule, on every platform.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fixtures/options.h"

namespace rpycbench {

// `count` moments in ascending order, counted from the start of a window of count / per_second
// seconds, in which they all lie. constant: in the middles of equal intervals. poisson: as
// independent users have it, given that so many come in this window. `per_second` is above 0.
std::vector<std::chrono::nanoseconds> Schedule(Arrivals arrivals, double per_second,
                                               std::size_t count, std::uint64_t seed);

}  // namespace rpycbench
