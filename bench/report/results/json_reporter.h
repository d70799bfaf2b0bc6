// The framework's JSON reporter, kept to what JSON can say. Numbers that are none (the coefficient
// of variation of a counter that is always zero) and bytes that are no text (from the stderr of a
// broken server) would make the whole document unreadable; they are left out or replaced.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

class JsonReporter : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
};

// The same text, if it is UTF-8 without control characters other than line breaks and tabs; if not,
// with a question mark for each byte that isn't.
std::string PrintableText(std::string_view text);

}  // namespace rpycbench
