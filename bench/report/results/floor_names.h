// Which row is the floor of another: plain TCP, or else the bare loop, that does the same. Tools
// that read results know the rule from what `--describe` prints.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/report/results/measured_row.h"

namespace rpycbench {

// Operations that only a protocol has, and what the floor has instead. They are regular expressions
// that both ECMAScript and Python read; {1} stands for the first group.
struct FloorSubstitute {
  const char* operation;
  const char* instead;
};
std::span<const FloorSubstitute> FloorSubstitutes();

// The mode whose rows are the floor.
inline constexpr char kFloorMode[] = "tcp_threaded";

// Returns the names of the rows that may be the floor of this one, the best first.
std::vector<std::string> FloorNames(const RowName& name);

}  // namespace rpycbench
