// The benchmark types of the suite, in the order in which their rows are measured. A type is added
// in types.cc, by its declaration and a place in the list.
#pragma once

#include <span>

#include "bench/types/type.h"

namespace rpycbench {

std::span<const BenchmarkType* const> AllTypes();

}  // namespace rpycbench
