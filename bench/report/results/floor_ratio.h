// How many times the floor's cost a row has: the floor is plain TCP, or else the bare loop, doing
// the same under the same conditions. The same rule as that of tools/report (results.Result.floor,
// explaining.AT_THE_FLOOR), but that rows are known only once they have ended.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/report/results/measured_row.h"

namespace rpycbench {

// The names of the rows that may be the floor of this one, the best first.
std::vector<std::string> FloorNames(const RowName& name);

class FloorRatio {
 public:
  // From here on the row is known, and may be the floor of others, and of itself.
  void Learn(const MeasuredRow& row);

  // None if the row has no cost or no floor that is known.
  std::optional<double> Of(const MeasuredRow& row) const;

 private:
  struct Measured {
    Labels labels;
    double cost;
  };
  std::map<std::string, std::vector<Measured>> rows_;
};

}  // namespace rpycbench
