#include "bench/report/results/row_filter.h"

#include <algorithm>
#include <iterator>

#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/validity.h"

namespace rpycbench {
namespace {

bool Failed(const compat::Run& run) { return compat::Failed(run); }

// The framework computes aggregates for two or more successful repetitions.
bool AggregatesFollow(const std::vector<compat::Run>& runs) {
  return runs.front().run_type == compat::Run::RT_Iteration &&
         std::ranges::count(runs, false, Failed) >= 2;
}

}  // namespace

std::string RowFilter::Labels::OfAggregate() const {
  const std::string entry = DoubtsEntry(doubts.Entries());
  return entry.empty() ? common : common + ' ' + entry;
}

std::map<std::string, std::size_t> RowFilter::doubts() const {
  std::map<std::string, std::size_t> rows;
  for (const auto& [row, labels] : labels_) {
    for (const auto& [doubt, count] : labels.doubts.counts()) ++rows[doubt];
  }
  return rows;
}

std::size_t RowFilter::doubtful_rows() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      labels_, [](const auto& row) { return !row.second.doubts.counts().empty(); }));
}

void RowFilter::Learn(const Run& run) {
  Labels& labels = labels_[run.run_name.str()];
  labels.common = WithoutDoubts(run.report_label);
  labels.doubts.Add(run.report_label);
}

void RowFilter::ReportRuns(const std::vector<Run>& reported) {
  if (reported.empty()) return;
  std::vector<Run> runs = reported;
  for (Run& run : runs) {
    if (run.run_type == Run::RT_Aggregate) {
      const auto labels = labels_.find(run.run_name.str());
      if (labels != labels_.end()) run.report_label = labels->second.OfAggregate();
      continue;
    }
    if (Failed(run)) continue;
    Learn(run);
    const std::vector<std::string> doubts = DoubtsIn(run.report_label);
    if (settings_.strict && !doubts.empty()) compat::SetError(run, DoubtsEntry(doubts));
  }
  std::vector<Run> failed;
  std::ranges::copy_if(runs, std::back_inserter(failed), Failed);
  for (const Run& run : failed) failed_rows_.insert(run.run_name.str());
  if (!settings_.aggregates_only || !AggregatesFollow(reported)) {
    inner_.ReportRuns(runs);
  } else if (!failed.empty()) {
    inner_.ReportRuns(failed);
  }
}

}  // namespace rpycbench
