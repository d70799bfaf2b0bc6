// The files that have whole distributions and not only some percentiles: --histogram_file,
// --percentiles_folder and --samples_file. They are written between the rows, from samples that
// were recorded anyway.
//
// Histograms and samples name rows as result files do. Each repetition is an entry of its own.
// Percentiles are of all repetitions together, because plotters read one table a file.
//
// An entry of --samples_file is a line of JSON, followed by 16 bytes for each call, in the order in
// which the calls began: first all starts, in ns since 1970, then all durations in ns. All are
// 64-bit integers, the lowest byte first.
//
//   {"name":"Latency/…","repetition_index":0,"calls":n,"loop_calls":m}
//
// The framework's loop made the first m calls, slots the others.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/report/results/flushed_file.h"
#include "fixtures/meter/distributions.h"
#include "fixtures/options.h"

namespace rpycbench {

class DistributionFiles : public benchmark::BenchmarkReporter {
 public:
  // Takes each row's samples from `distributions`, which must outlive the object. Throws UsageError
  // if it is evident that a file cannot be written, or if the folder cannot be made.
  DistributionFiles(const Options& options, Distributions& distributions);

  // Report to the files. Each of these throws std::system_error if one can't be written. A row with
  // a failed repetition is left out.
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  using Clock = Samples::Clock;

  // Returns the time since 1970. The clock that times calls begins elsewhere.
  std::chrono::nanoseconds SinceEpoch(Clock::time_point when) const;
  void WriteHistogram(const std::string& name, const Distribution& distribution);
  void WriteSamples(const Run& run, const Distribution& distribution);
  void WritePercentiles(const std::string& name, const std::vector<Distribution>& repetitions);

  Distributions& distributions_;
  std::chrono::nanoseconds epoch_;  // from 1970 to the beginning of the clock
  std::optional<FlushedFile> histograms_;
  std::optional<FlushedFile> samples_;
  std::filesystem::path folder_;  // of percentiles; empty: none
};

}  // namespace rpycbench
