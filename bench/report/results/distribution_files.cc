#include "bench/report/results/distribution_files.h"

#include <algorithm>
#include <bit>
#include <boost/json.hpp>
#include <cassert>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <system_error>

#include "bench/report/results/histogram.h"
#include "bench/report/results/measured_row.h"
#include "bench/report/results/result_file.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/usage_error.h"

namespace rpycbench {
namespace {

using std::chrono::duration;
using std::chrono::nanoseconds;

static_assert(std::endian::native == std::endian::little, "the samples' bytes would be swapped");

// What HdrHistogram's log divides the longest time by, for people who look into it: ms.
constexpr double kNsPerMs = 1e6;

double Seconds(nanoseconds time) { return duration<double>(time).count(); }

std::string Fixed(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

Histogram HistogramOf(const std::vector<Distribution>& all) {
  Histogram histogram;
  for (const Distribution& distribution : all) {
    for (const std::int64_t ns : distribution.samples.nanoseconds()) histogram.Add(ns);
  }
  return histogram;
}

// Returns the name of a row's file of percentiles. Some systems and services allow no colons.
std::string FileNameOf(const std::string& name) {
  std::string file = SplitName(name).whole();
  std::ranges::replace(file, '/', '.');
  std::ranges::replace(file, ':', '-');
  return file + ".hgrm";
}

std::optional<FlushedFile> MaybeFile(const std::string& path) {
  if (path.empty()) return std::nullopt;
  CheckOutputPath(path);
  return FlushedFile(path);
}

void AppendNumber(std::string& to, nanoseconds time) {
  const std::int64_t number = time.count();
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

DistributionFiles::DistributionFiles(const Options& options, Distributions& distributions)
    : distributions_(distributions),
      epoch_(std::chrono::system_clock::now().time_since_epoch() - Clock::now().time_since_epoch()),
      histograms_(MaybeFile(options.histogram_file)),
      samples_(MaybeFile(options.samples_file)),
      folder_(options.percentiles_folder) {
  if (folder_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    throw UsageError("--percentiles_folder: cannot make \"" + folder_.string() +
                     "\": " + error.message());
  }
}

nanoseconds DistributionFiles::SinceEpoch(Clock::time_point when) const {
  return when.time_since_epoch() + epoch_;
}

bool DistributionFiles::ReportContext(const Context&) {
  if (samples_) {
    samples_->Open();
    samples_->Flush();
  }
  if (!histograms_) return true;
  histograms_->Open();
  const nanoseconds now = SinceEpoch(Clock::now());
  const auto seconds = static_cast<std::time_t>(Seconds(now));
  char date[64];
  std::tm utc;
  std::strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", ::gmtime_r(&seconds, &utc));
  histograms_->stream() << "#[Times of calls in ns, by rpycbench]\n"
                           "#[Histogram log format version 1.3]\n"
                           "#[StartTime: "
                        << Fixed(Seconds(now)) << " (seconds since epoch), " << date
                        << "]\n"
                           "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                           "\"Interval_Compressed_Histogram\"\n";
  histograms_->Flush();
  return true;
}

void DistributionFiles::ReportRuns(const std::vector<Run>& runs) {
  if (runs.empty() || runs.front().run_type != Run::RT_Iteration) return;
  const std::string name = runs.front().benchmark_name();
  const std::vector<Distribution> repetitions = distributions_.Take(SplitName(name).whole());
  const bool failed = std::ranges::any_of(runs, [](const Run& run) { return compat::Failed(run); });
  if (failed || repetitions.empty()) return;
  if (repetitions.size() != runs.size()) {
    throw std::logic_error(name + " has samples of " + std::to_string(repetitions.size()) +
                           " repetitions, not of " + std::to_string(runs.size()));
  }
  for (std::size_t i = 0; i < repetitions.size(); ++i) {
    if (histograms_) WriteHistogram(name, repetitions[i]);
    if (samples_) WriteSamples(runs[i], repetitions[i]);
  }
  if (histograms_) histograms_->Flush();
  if (samples_) samples_->Flush();
  if (!folder_.empty()) WritePercentiles(name, repetitions);
}

void DistributionFiles::Finalize() {
  if (histograms_) histograms_->Finish();
  if (samples_) samples_->Finish();
}

void DistributionFiles::WriteHistogram(const std::string& name, const Distribution& distribution) {
  assert(name.find_first_of(", \t\n") == std::string::npos);  // the format forbids them in a tag
  const Histogram histogram = HistogramOf({distribution});
  histograms_->stream() << "Tag=" << name << ',' << Fixed(Seconds(SinceEpoch(distribution.begin)))
                        << ',' << Fixed(Seconds(distribution.end - distribution.begin)) << ','
                        << Fixed(static_cast<double>(histogram.longest_ns()) / kNsPerMs) << ','
                        << histogram.Encoded() << '\n';
}

void DistributionFiles::WriteSamples(const Run& run, const Distribution& distribution) {
  const std::vector<Samples::Call> calls = distribution.samples.CallsInOrder();
  std::string entry =
      boost::json::serialize(boost::json::object{{"name", run.benchmark_name()},
                                                 {"repetition_index", run.repetition_index},
                                                 {"calls", calls.size()},
                                                 {"loop_calls", distribution.loop_calls}});
  entry += '\n';
  entry.reserve(entry.size() + 16 * calls.size());
  for (const Samples::Call& call : calls) AppendNumber(entry, SinceEpoch(call.start));
  for (const Samples::Call& call : calls) AppendNumber(entry, call.time);
  samples_->stream() << entry;
}

void DistributionFiles::WritePercentiles(const std::string& name,
                                         const std::vector<Distribution>& repetitions) {
  FlushedFile file(folder_ / FileNameOf(name));
  file.Open();
  HistogramOf(repetitions).WritePercentiles(file.stream());
  file.Flush();
}

}  // namespace rpycbench
