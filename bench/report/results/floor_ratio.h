// How many times the floor's cost a row has. The floor is plain TCP, or else the bare loop, that
// does the same under the same conditions. The tool `report` applies the same rule with the same
// substitutes, which `--describe` prints.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/results/measured_row.h"
#include "bench/types/type.h"

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

class FloorRatio {
 public:
  explicit FloorRatio(TypeTable types = {}) : types_(std::move(types)) {}

  // Records a row, which may be the floor of later rows and of itself.
  void Learn(const MeasuredRow& row);

  // Returns the ratio, or nothing if the row has no cost or no known floor.
  std::optional<double> Of(const MeasuredRow& row) const;

 private:
  // Returns the cost in µs per call. For a type about a rate it is µs per answer of all clients
  // together.
  std::optional<double> CostOf(const MeasuredRow& row) const;

  struct Measured {
    Labels labels;
    double cost;
  };
  TypeTable types_;
  std::map<std::string, std::vector<Measured>> rows_;
};

}  // namespace rpycbench
