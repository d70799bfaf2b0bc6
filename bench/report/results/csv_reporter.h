// The framework's CSV reporter with one set of columns for all rows. The framework takes the
// columns from the first row and aborts when a later row has one more counter. Here every counter
// that the suite knows has its column from the start, empty where a row lacks it.
#pragma once

#include <benchmark/benchmark.h>

#include <set>
#include <string>
#include <vector>

namespace rpycbench {

BENCHMARK_DISABLE_DEPRECATED_WARNING  // --benchmark_format=csv needs that reporter

    class CsvReporter : public benchmark::CSVReporter {
 public:
  // Uses the framework's columns and one for each of `counters`.
  explicit CsvReporter(const std::set<std::string>& counters);

  // Writes the header before the first runs. Leaves out counters without a column.
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  std::set<std::string> counters_;
  std::string header_;  // empty once it is written
};

BENCHMARK_RESTORE_DEPRECATED_WARNING

// Returns the names of all counters of the suite.
std::set<std::string> SuiteCounters();

}  // namespace rpycbench
