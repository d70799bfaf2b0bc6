// The framework's JSON reporter, kept to what JSON can say. Numbers that are none (the coefficient
// of variation of a counter that is always zero) and bytes that are no text (from the stderr of a
// broken server) would make the whole document unreadable; they are left out or replaced.
#pragma once

#include <benchmark/benchmark.h>

#include <vector>

namespace rpycbench {

class JsonReporter : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
};

}  // namespace rpycbench
