// For tests: counts the allocations of a whole program. Linking this library replaces operator new,
// so every allocation made through it is counted. Allocations by malloc are not.
#pragma once

#include <cstdint>

namespace rpycbench::net {

// Returns the number of calls of operator new since the program started.
std::uint64_t AllocationsSoFar();

}  // namespace rpycbench::net
