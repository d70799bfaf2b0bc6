// The framework's CSV reporter with one set of columns for all rows. The framework takes the
// columns from the first row and aborts when a later one has a counter more; here all counters that
// the suite knows have their column from the start, empty where a row has none.
#pragma once

#include <benchmark/benchmark.h>

#include <set>
#include <string>
#include <vector>

namespace rpycbench {

BENCHMARK_DISABLE_DEPRECATED_WARNING  // the reporter is marked so, but --benchmark_format=csv stays

    class CsvReporter : public benchmark::CSVReporter {
 public:
  // The columns are those of the framework and one for each of `counters`.
  explicit CsvReporter(const std::set<std::string>& counters);

  // Writes the header before the first runs. Counters without a column are left out.
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  std::set<std::string> counters_;
  std::string header_;  // empty once written
};

BENCHMARK_RESTORE_DEPRECATED_WARNING

// All counters of the suite.
std::set<std::string> SuiteCounters();

}  // namespace rpycbench
