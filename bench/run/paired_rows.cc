#include "bench/run/paired_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <stdexcept>
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

// The result file has so many points of the probe's course at most.
constexpr std::size_t kStretchesOfCourse = 1'000;

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

std::vector<std::unique_ptr<PairedRow>> PairedRows::PairsFor(const std::vector<Run>& runs) const {
  const RowName name = SplitName(runs.front().run_name.str());
  const auto found = rows_.find(name.whole());
  if (found == rows_.end() ||
      std::ranges::any_of(runs, [](const Run& run) { return compat::Failed(run); })) {
    return {};
  }
  std::vector<RecordedRun> recorded = found->second->TakeRecorded(runs.size());
  if (recorded.size() != runs.size()) return {};
  ServerFixture* floor = FloorOf(name.whole());
  // Without time for more than a pair, nobody expects an interval.
  const double precision = settings_.time.count() > 0 ? types_.Find(name.type).precision
                                                      : std::numeric_limits<double>::infinity();
  std::vector<std::unique_ptr<PairedRow>> pairs;
  for (RecordedRun& run : recorded) {
    pairs.push_back(std::make_unique<PairedRow>(*found->second, floor, std::move(run), precision));
  }
  if (pairs.front()->connections() > kMostConnections) return {};
  return pairs;
}

bool PairedRows::ReportContext(const Context& context) {
  loops_begin_ = Samples::Clock::now();
  return inner_.ReportContext(context);
}

void PairedRows::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty()) return;
  Report report{runs, {}, {loops_begin_, Samples::Clock::now()}};
  if (runs.front().run_type == Run::RT_Iteration) {
    WithProbe([&] {
      if (!pairing_) pairing_.emplace(settings_);
      pairing_->Watch();
    });
    if (kept_pairs_ >= kRowsInTurns) Flush();
    if (probe_failure_.empty()) report.pairs = PairsFor(runs);
  }
  if (!report.pairs.empty()) {
    const std::size_t repetitions = report.pairs.size();
    const std::size_t connections = repetitions * report.pairs.front()->connections();
    // Others would wait for ever for a connection, or there would be too many.
    const Traits& traits = report.pairs.front()->row().mode().traits;
    const bool alone = traits.connections_at_once <= connections || connections > kMostConnections;
    const PairedRow& first = *report.pairs.front();
    if (alone || (first_kept_ != nullptr && !first.TakesTurnsWith(*first_kept_)) ||
        kept_connections_ + connections > kMostConnections) {
      Flush();
    }
    one_by_one_ = alone;
    first_kept_ = &first;
    kept_pairs_ += alone ? kRowsInTurns : repetitions;
    kept_connections_ += connections;
  }
  // Aggregates still follow. So even if these rows are enough, the next one flushes them.
  kept_.push_back(std::move(report));
  if (kept_pairs_ == 0) Flush();
  loops_begin_ = Samples::Clock::now();
}

void PairedRows::WithProbe(const std::function<void()>& step) {
  if (!probe_failure_.empty()) return;
  try {
    step();
  } catch (const std::exception& error) {
    probe_failure_ = error.what();
  }
}

void PairedRows::Revise(std::vector<Report>& reports, bool reported) const {
  const std::vector<Run>* repetitions = nullptr;
  for (Report& report : reports) {
    if (!report.pairs.empty()) {
      const double quiet_us = pairing_->course().QuietUs();
      for (std::size_t i = 0; i < report.runs.size(); ++i) {
        if (reported) {
          report.pairs[i]->Revise(report.runs[i], quiet_us);
        } else {
          report.pairs[i]->Report(report.runs[i], quiet_us);
        }
      }
      repetitions = &report.runs;
    } else if (report.runs.front().run_type == Run::RT_Aggregate && repetitions != nullptr) {
      const auto good = [](const Run& run) { return !compat::Failed(run); };
      // The framework computes none of fewer than two.
      if (std::ranges::count_if(*repetitions, good) < 2) report.runs.clear();
      for (Run& run : report.runs) Recompute(run, *repetitions);
    } else {
      repetitions = nullptr;
    }
  }
}

void PairedRows::Flush() {
  std::vector<PairedRow*> all;
  for (const Report& report : kept_) {
    for (const auto& row : report.pairs) all.push_back(row.get());
  }
  const std::size_t at_once = one_by_one_ ? 1 : all.size();
  for (std::span<PairedRow* const> rest(all); !rest.empty(); rest = rest.subspan(at_once)) {
    WithProbe([&] { pairing_->Measure(rest.first(at_once)); });
  }
  Revise(kept_, false);
  for (Report& report : kept_) {
    if (report.runs.empty()) continue;
    inner_.ReportRuns(report.runs);
    reported_.push_back(std::move(report));
  }
  kept_.clear();
  kept_pairs_ = 0;
  kept_connections_ = 0;
  first_kept_ = nullptr;
  one_by_one_ = false;
}

boost::json::object PairedRows::DescribeCourse() const {
  const ProbeCourse& course = pairing_->course();
  const auto rounded = [](double value, double digits) {
    return std::round(value * digits) / digits;
  };
  const auto span = [&](const PairedRow::Span& of) {
    return boost::json::array{rounded(course.SecondsTo(of.begin), 1e3),
                              rounded(course.SecondsTo(of.end), 1e3)};
  };
  const ProbeCourse::Stretches stretches = course.InStretches(kStretchesOfCourse);
  boost::json::array times;
  for (const std::optional<double>& us : stretches.us) {
    times.push_back(us ? boost::json::value(rounded(*us, 1e2)) : boost::json::value());
  }
  boost::json::array rows;
  for (const Report& report : reported_) {
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
      if (report.runs[i].run_type != Run::RT_Iteration) continue;
      boost::json::object row{{"name", report.runs[i].benchmark_name()},
                              {"repetition_index", report.runs[i].repetition_index},
                              {"loop_s", span(report.loops)}};
      const auto pairs = report.pairs.empty() ? std::nullopt : report.pairs[i]->span();
      if (pairs) row["pairs_s"] = span(*pairs);
      rows.push_back(std::move(row));
    }
  }
  return {{"quiet_us", rounded(course.QuietUs(), 1e3)},
          {"step_s", rounded(stretches.seconds, 1e6)},
          {"us", std::move(times)},
          {"rows", std::move(rows)}};
}

void PairedRows::Finalize() {
  Flush();
  if (pairing_ && !pairing_->course().empty()) {
    Revise(reported_, true);
    FinalReport report{.rows = {}, .probe = DescribeCourse()};
    for (const Report& each : reported_) report.rows.push_back(each.runs);
    finish_(report);
  }
  inner_.Finalize();
  if (!probe_failure_.empty()) {
    throw std::runtime_error("rows lack pairs or have fewer than usual: " + probe_failure_);
  }
}

}  // namespace rpycbench
