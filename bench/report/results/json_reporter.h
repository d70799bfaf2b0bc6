// The framework's JSON reporter, limited to valid JSON. Numbers may be NaN, such as the coefficient
// of variation of a counter that is always zero. Messages may hold invalid UTF-8 from the stderr of
// a broken server. Either would make the document unreadable, so they are left out or replaced.
#pragma once

#include <benchmark/benchmark.h>

#include <vector>

namespace rpycbench {

class JsonReporter : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
};

}  // namespace rpycbench
