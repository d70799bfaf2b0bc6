// How many times the floor's cost a row has: the floor is plain TCP, or else the bare loop, doing
// the same under the same conditions. tools/report has the same rule, with the same substitutes,
// which `--describe` prints.
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

// Operations that only a protocol has, by regular expressions that both ECMAScript and Python read,
// and what the floor has instead; {1} stands for the first group.
struct FloorSubstitute {
  const char* operation;
  const char* instead;
};
std::span<const FloorSubstitute> FloorSubstitutes();

// Whose rows are the floor.
inline constexpr char kFloorMode[] = "tcp_threaded";

// The names of the rows that may be the floor of this one, the best first.
std::vector<std::string> FloorNames(const RowName& name);

class FloorRatio {
 public:
  explicit FloorRatio(TypeTable types = {}) : types_(std::move(types)) {}

  // From here on the row is known, and may be the floor of others, and of itself.
  void Learn(const MeasuredRow& row);

  // None if the row has no cost or no floor that is known.
  std::optional<double> Of(const MeasuredRow& row) const;

 private:
  // µs a call; of a type about a rate, µs an answer of all clients.
  std::optional<double> CostOf(const MeasuredRow& row) const;

  struct Measured {
    Labels labels;
    double cost;
  };
  TypeTable types_;
  std::map<std::string, std::vector<Measured>> rows_;
};

}  // namespace rpycbench
