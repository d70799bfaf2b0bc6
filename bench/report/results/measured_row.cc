#include "bench/report/results/measured_row.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>
#include <sstream>

#include "bench/report/results/doubt_count.h"
#include "bench/report/results/json_reporter.h"
#include "fixtures/meter/counters.h"
#include "fixtures/meter/validity.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<double> Variation(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() < 2 || mean == 0) return std::nullopt;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (count - 1)) / mean;
}

Labels LabelsIn(const std::string& label) {
  Labels labels;
  std::istringstream entries(WithoutDoubts(label));
  for (std::string entry; entries >> entry;) {
    const std::size_t equals = std::min(entry.find('='), entry.size());
    labels.emplace_back(entry.substr(0, equals), entry.substr(std::min(equals + 1, entry.size())));
  }
  return labels;
}

void AddFigures(const std::vector<const compat::Run*>& good, MeasuredRow& row) {
  std::map<std::string, std::vector<double>> found;
  std::vector<double> times_us;
  for (const compat::Run* run : good) {
    for (const auto& [name, counter] : run->counters) {
      if (std::isfinite(counter.value)) found[name].push_back(counter.value);
    }
    const auto iterations = static_cast<double>(std::max<std::int64_t>(run->iterations, 1));
    times_us.push_back(run->real_accumulated_time * 1e6 / iterations);
  }
  for (const auto& [name, values] : found) row.counters[name] = Median(values);
  if (!times_us.empty()) row.real_time_us = Median(times_us);
  if (const auto p50 = found.find(counter::kP50); p50 != found.end()) {
    row.variation = Variation(p50->second);
  }
}

}  // namespace

std::string_view RowName::mode() const { return std::string_view(rest).substr(0, rest.find('/')); }

std::string_view RowName::operation() const {
  return std::string_view(rest).substr(std::min(mode().size() + 1, rest.size()));
}

std::string RowName::whole() const { return rest.empty() ? type : type + '/' + rest; }

RowName SplitName(const std::string& name) {
  // Its own number of threads comes after the kind of time.
  static const std::regex added_by_framework(
      "/((real|manual|process)_time(/threads:\\d+)?"
      "|(iterations|repeats|min_time|min_warmup_time):[\\d.]+)(?=/|$)");
  const std::string own = std::regex_replace(name, added_by_framework, "");
  const std::size_t slash = std::min(own.find('/'), own.size());
  return {own.substr(0, slash), own.substr(std::min(slash + 1, own.size()))};
}

std::optional<double> MeasuredRow::Get(const std::string& counter) const {
  const auto found = counters.find(counter);
  return found == counters.end() ? std::nullopt : std::optional(found->second);
}

MeasuredRow Summarize(const std::vector<compat::Run>& repetitions) {
  MeasuredRow row;
  row.name = SplitName(repetitions.front().run_name.str());
  std::vector<const compat::Run*> good;
  DoubtCount doubts;
  for (const compat::Run& run : repetitions) {
    if (compat::Failed(run)) {
      const std::string message = PrintableText(compat::ErrorMessage(run));
      if (std::ranges::find(row.errors, message) == row.errors.end()) {
        row.errors.push_back(message);
      }
      continue;
    }
    good.push_back(&run);
    doubts.Add(run.report_label);
  }
  AddFigures(good, row);
  row.failed = good.empty();
  if (row.failed) return row;
  row.labels = LabelsIn(PrintableText(good.front()->report_label));
  row.doubts = repetitions.size() > 1 ? doubts.Entries() : DoubtsIn(good.front()->report_label);
  if (good.size() < repetitions.size()) {
    row.doubts.push_back("failed:" + std::to_string(repetitions.size() - good.size()) + "of" +
                         std::to_string(repetitions.size()));
  }
  return row;
}

}  // namespace rpycbench
