#include "bench/report/results/csv_reporter.h"

#include <sstream>

#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

// The framework has its own columns for these two.
bool IsFrameworkRate(const std::string& name) {
  return name == counter::kBytesPerSecond.name || name == counter::kItemsPerSecond.name;
}

}  // namespace

BENCHMARK_DISABLE_DEPRECATED_WARNING

CsvReporter::CsvReporter(const std::set<std::string>& counters) : counters_(counters) {
  // A row with every counter makes the framework write, and remember, every column.
  Run row;
  row.run_name.function_name = "columns";
  for (const std::string& name : counters) row.counters[name] = 0;
  std::ostringstream scratch;
  std::ostream& out = GetOutputStream();
  SetOutputStream(&scratch);
  CSVReporter::ReportRuns({row});
  SetOutputStream(&out);
  const std::string text = scratch.str();
  header_ = text.substr(0, text.find('\n') + 1);
}

void CsvReporter::ReportRuns(const std::vector<Run>& runs) {
  GetOutputStream() << header_;
  header_.clear();
  std::vector<Run> kept = runs;
  for (Run& run : kept) {
    std::erase_if(run.counters, [this](const auto& counter) {
      return !counters_.contains(counter.first) && !IsFrameworkRate(counter.first);
    });
  }
  CSVReporter::ReportRuns(kept);
}

BENCHMARK_RESTORE_DEPRECATED_WARNING

std::set<std::string> SuiteCounters() {
  std::set<std::string> names;
  for (const Counter& known : counter::kAll) names.insert(known);
  return names;
}

}  // namespace rpycbench
