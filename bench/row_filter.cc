#include "bench/row_filter.h"

#include <algorithm>
#include <iterator>

#include "fixtures/benchmark_compat.h"

namespace rpycbench {
namespace {

bool Failed(const compat::Run& run) { return compat::Failed(run); }

// The framework computes aggregates of two successful repetitions and more.
bool AggregatesFollow(const std::vector<compat::Run>& runs) {
  return runs.front().run_type == compat::Run::RT_Iteration &&
         std::ranges::count(runs, false, Failed) >= 2;
}

}  // namespace

void RowFilter::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty()) return;
  std::vector<Run> failed;
  std::ranges::copy_if(runs, std::back_inserter(failed), Failed);
  for (const Run& run : failed) failed_rows_.insert(run.run_name.str());
  if (!aggregates_only_ || !AggregatesFollow(runs)) {
    inner_.ReportRuns(runs);
  } else if (!failed.empty()) {
    inner_.ReportRuns(failed);
  }
}

}  // namespace rpycbench
