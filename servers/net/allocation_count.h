// For tests: linking this counts what the whole program allocates through operator new.
#pragma once

#include <cstdint>

namespace rpycbench::net {

std::uint64_t AllocationsSoFar();

}  // namespace rpycbench::net
