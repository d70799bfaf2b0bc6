#include "bench/report/results/json_reporter.h"

#include <cmath>
#include <map>

#include "fixtures/benchmark_compat.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

bool IsFinite(const compat::Run& run) {
  return std::isfinite(run.real_accumulated_time) && std::isfinite(run.cpu_accumulated_time);
}

compat::Run Cleaned(compat::Run run) {
  std::erase_if(run.counters,
                [](const auto& counter) { return !std::isfinite(counter.second.value); });
  run.report_label = PrintableText(run.report_label);
  if (compat::Failed(run)) compat::SetError(run, PrintableText(compat::ErrorMessage(run)));
  return run;
}

}  // namespace

void JsonReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> cleaned;
  for (const Run& run : runs) {
    if (IsFinite(run)) cleaned.push_back(Cleaned(run));
  }
  JSONReporter::ReportRuns(cleaned);
}

}  // namespace rpycbench
