// A row as a reader sees it, over all its repetitions: medians of their figures, the content of
// their label, and what went wrong. Names, labels and repetitions mean the same as in the tools
// that read result files (tools/common/result_rows.py, tools/reporting/results.py).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fixtures/benchmark_compat.h"

namespace rpycbench {

// The name Type/mode/operation, without what the framework appends.
struct RowName {
  std::string type;
  std::string rest;  // mode and operation

  std::string_view mode() const;
  std::string_view operation() const;
  std::string whole() const;
};
RowName SplitName(const std::string& name);

using Labels = std::vector<std::pair<std::string, std::string>>;  // in the order of the label

struct MeasuredRow {
  RowName name;
  Labels labels;
  std::vector<std::string> doubts;
  std::vector<std::string> errors;         // each different message once
  std::map<std::string, double> counters;  // medians of the repetitions that have not failed
  double real_time_us = 0;                 // time of an iteration
  std::optional<double> variation;         // standard deviation of p50_us as a share of its mean

  bool failed = false;  // in every repetition

  std::optional<double> Get(const std::string& counter) const;
};

// Returns the summary of `repetitions`, which belong to one row. There is at least one, and none is
// an aggregate.
MeasuredRow Summarize(const std::vector<compat::Run>& repetitions);

}  // namespace rpycbench
