#include "bench/report/results/json_reporter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>

#include "fixtures/benchmark_compat.h"

namespace rpycbench {
namespace {

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The length of the character that `text` begins with, 0 if its first byte begins none.
std::size_t CharacterLength(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : first == '\n' || first == '\t';
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(byte(i))) return 0;
  }
  // Control characters, overlong forms, surrogates and what lies beyond the last code point.
  const unsigned char second = byte(1);
  const bool wrong = (first == 0xc2 && second < 0xa0) || (first == 0xe0 && second < 0xa0) ||
                     (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
                     (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}

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

std::string PrintableText(std::string_view text) {
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    printable += length > 0 ? text.substr(0, length) : "?";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return printable;
}

}  // namespace rpycbench
