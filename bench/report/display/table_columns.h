// The columns of figures that a table of one benchmark type has: which of them suit the type, and
// which are left where there is little room.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/report/results/measured_row.h"
#include "bench/types/type.h"

namespace rpycbench {

struct Column {
  std::string heading;
  std::size_t width;
  int rank;  // the column of the highest rank goes first where room is short
  std::function<std::string(const MeasuredRow& row, std::optional<double> ratio)> text;

  std::size_t taken() const;  // the gap before it included
};

// What a table has beyond the columns of every one: what repetitions vary by, the multiple of the
// floor, what the ledger counts.
struct ExtraColumns {
  bool repeated = false;
  bool compared = false;
  bool ledger = false;
};

// The columns that rows of a type have.
std::vector<Column> ColumnsOf(const TypeDescription& type, const ExtraColumns& extras);

// Those that fit into `width` columns of the terminal beside names of `name_width`. Two always
// stay: what a call takes, and how that compares.
std::vector<Column> FittingColumns(std::vector<Column> columns, std::size_t name_width,
                                   std::size_t width);

std::size_t WidthOf(const std::vector<Column>& columns);

}  // namespace rpycbench
