// The benchmark types of the suite, in the order in which their rows are measured. To add a type,
// declare it in types.cc and give it a place in the list there.
#pragma once

#include <span>

#include "bench/types/type.h"

namespace rpycbench {

std::span<const BenchmarkType* const> AllTypes();

}  // namespace rpycbench
