// The environment variables that change what programs cost: preloaded libraries, tunables of
// allocators, the C library and OpenSSL, and settings of Python. Results of different ones are not
// of one condition, so the context of a run has those that are set.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rpycbench {

// Returns the names in order. A name that ends in * stands for all that begin with the rest.
std::span<const std::string_view> RecordedVariables();

// Returns those that are set and not empty, sorted: "MALLOC_ARENA_MAX=1 PYTHONOPTIMIZE=1".
// `variables` ends with a null pointer, as environ does.
std::string DescribeEnvironment(const char* const* variables);

}  // namespace rpycbench
