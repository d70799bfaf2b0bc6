// When the calls of an open loop are due. The schedule is fixed before the first call, so that no
// answer, however late, can hold back a later call. The same seed gives the same schedule on every
// platform.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fixtures/options.h"

namespace rpycbench {

// Returns `count` moments in ascending order, counted from the start of a window of count /
// per_second seconds that contains them all. kConstant puts them in the middle of equal intervals.
// kPoisson spreads them as independent users would, given that exactly `count` calls arrive.
// `per_second` must be above 0.
std::vector<std::chrono::nanoseconds> Schedule(Arrivals arrivals, double per_second,
                                               std::size_t count, std::uint64_t seed);

}  // namespace rpycbench
