// The columns of figures in the table of one benchmark type. A type decides which columns suit it.
// A narrow terminal decides which of them remain.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/report/results/measured_row.h"
#include "bench/types/type.h"

namespace rpycbench {

struct Column {
  std::string heading;
  std::size_t width;
  int rank;  // where space is short, the column of the highest rank goes first
  std::function<std::string(const MeasuredRow& row)> text;

  std::size_t taken() const;  // terminal columns, including the gap before it
};

// What a table has beyond the standard columns: the variation between repetitions, the multiple of
// the floor, the counts of the ledger.
struct ExtraColumns {
  bool repeated = false;
  bool compared = false;
  bool ledger = false;
};

// Returns the columns that rows of a type have.
std::vector<Column> ColumnsOf(const TypeDescription& type, const ExtraColumns& extras);

// Returns the columns that fit into `width` columns of the terminal next to names of `name_width`.
// Two always remain: what a call takes, and how that compares.
std::vector<Column> FittingColumns(std::vector<Column> columns, std::size_t name_width,
                                   std::size_t width);

std::size_t WidthOf(const std::vector<Column>& columns);

}  // namespace rpycbench
