#include "bench/run/paired_rows.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <span>
#include <utility>

#include "bench/report/results/floor_names.h"
#include "bench/report/results/measured_row.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/pairs/median_interval.h"

namespace rpycbench {
namespace {

// So many rows take turns. Their pairs take some seconds, in which the machine changes its state.
constexpr std::size_t kRowsInTurns = 64;
// More connections open at once, those of floors included, could exhaust descriptors and memory. A
// row that alone has more is not paired.
constexpr std::size_t kMostConnections = 2'000;

using Run = benchmark::BenchmarkReporter::Run;

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double StandardDeviation(const std::vector<double>& values) {
  const double mean = Mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Returns the framework's statistic of that name.
double Statistic(const std::string& name, const std::vector<double>& values) {
  if (name == "mean") return Mean(values);
  if (name == "median") return MedianWithInterval(values).median;
  if (name == "stddev") return StandardDeviation(values);
  return StandardDeviation(values) / Mean(values);  // "cv"
}

// Computes an aggregate anew, because its repetitions have changed. At least two have not failed.
void Recompute(Run& aggregate, const std::vector<Run>& repetitions) {
  std::vector<double> real;
  std::vector<double> cpu;
  std::map<std::string, std::vector<double>> counters;
  for (const Run& run : repetitions) {
    if (compat::Failed(run)) continue;
    const auto iterations = static_cast<double>(run.iterations);
    real.push_back(run.real_accumulated_time / iterations);
    cpu.push_back(run.cpu_accumulated_time / iterations);
    for (const auto& [name, counter] : run.counters) counters[name].push_back(counter.value);
  }
  const auto statistic = [&](const std::vector<double>& values) {
    return Statistic(aggregate.aggregate_name, values);
  };
  const auto iterations = static_cast<double>(aggregate.iterations);
  aggregate.real_accumulated_time = statistic(real) * iterations;
  aggregate.cpu_accumulated_time = statistic(cpu) * iterations;
  for (const auto& [name, values] : counters) {
    if (values.size() == real.size()) aggregate.counters[name] = statistic(values);
  }
}

}  // namespace

ServerFixture* PairedRows::FloorOf(const std::string& row) const {
  for (const std::string& name : FloorNames(SplitName(row))) {
    if (name == row) return rows_.at(row);
    if (const auto floor = floors_.find(name); floor != floors_.end()) return floor->second;
  }
  return nullptr;
}

std::vector<PairedRow> PairedRows::PairsFor(const std::vector<Run>& runs) const {
  const RowName name = SplitName(runs.front().run_name.str());
  const auto found = rows_.find(name.whole());
  if (found == rows_.end() ||
      std::ranges::any_of(runs, [](const Run& run) { return compat::Failed(run); })) {
    return {};
  }
  std::vector<RecordedRun> recorded = found->second->TakeRecorded(runs.size());
  if (recorded.size() != runs.size()) return {};
  ServerFixture* floor = FloorOf(name.whole());
  std::vector<PairedRow> pairs;
  for (RecordedRun& run : recorded) {
    pairs.emplace_back(*found->second, floor, std::move(run), types_.Find(name.type).precision);
  }
  return pairs;
}

void PairedRows::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty()) return;
  Report report{runs, {}};
  if (runs.front().run_type == Run::RT_Iteration) {
    if (kept_pairs_ >= kRowsInTurns) Flush();
    report.pairs = PairsFor(runs);
  }
  if (!report.pairs.empty() && report.pairs.front().connections() > kMostConnections) {
    report.pairs.clear();
  }
  if (!report.pairs.empty()) {
    const std::size_t repetitions = report.pairs.size();
    const std::size_t connections = repetitions * report.pairs.front().connections();
    // Others would wait for ever for a connection, or there would be too many.
    const Traits& traits = report.pairs.front().row().mode().traits;
    const bool alone = traits.connections_at_once <= connections || connections > kMostConnections;
    if (alone || kept_connections_ + connections > kMostConnections) Flush();
    one_by_one_ = alone;
    kept_pairs_ += alone ? kRowsInTurns : repetitions;
    kept_connections_ += connections;
  }
  // Aggregates still follow. So even if these rows are enough, the next one flushes them.
  kept_.push_back(std::move(report));
  if (kept_pairs_ == 0) Flush();
}

void PairedRows::Flush() {
  std::vector<PairedRow> all;
  for (Report& report : kept_) std::ranges::move(report.pairs, std::back_inserter(all));
  if (!all.empty()) {
    if (!pairing_) pairing_.emplace(settings_);
    const std::size_t at_once = one_by_one_ ? 1 : all.size();
    for (std::span<PairedRow> rest(all); !rest.empty(); rest = rest.subspan(at_once)) {
      pairing_->Measure(rest.first(at_once));
    }
  }
  auto next = all.begin();
  const std::vector<Run>* repetitions = nullptr;
  for (Report& report : kept_) {
    if (!report.pairs.empty()) {
      for (Run& run : report.runs) (next++)->Report(run, pairing_->QuietUs());
      repetitions = &report.runs;
    } else if (report.runs.front().run_type == Run::RT_Aggregate && repetitions != nullptr) {
      const auto good = [](const Run& run) { return !compat::Failed(run); };
      if (std::ranges::count_if(*repetitions, good) < 2) continue;  // as the framework does
      for (Run& run : report.runs) Recompute(run, *repetitions);
    } else {
      repetitions = nullptr;
    }
    inner_.ReportRuns(report.runs);
  }
  kept_.clear();
  kept_pairs_ = 0;
  kept_connections_ = 0;
  one_by_one_ = false;
}

void PairedRows::Finalize() {
  Flush();
  inner_.Finalize();
}

}  // namespace rpycbench
