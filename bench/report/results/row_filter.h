// Stands between the framework and a reporter: counts the rows that ended in an error, decides
// which repetitions are reported, and makes errors of doubts where doubts are not to be borne. The
// framework itself, asked for aggregates only, would drop the repetitions that failed with those
// that did not, and a row of three repetitions, one of them failed, would look like a good one; and
// it would drop the label of aggregates whose repetitions differ in their doubts.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bench/report/results/doubt_count.h"

namespace rpycbench {

class RowFilter : public benchmark::BenchmarkReporter {
 public:
  struct Settings {
    bool aggregates_only = false;  // of a row with aggregates only those and failed repetitions
    bool strict = false;           // a repetition with doubts has failed
  };

  // `inner` must outlive this.
  RowFilter(BenchmarkReporter& inner, const Settings& settings)
      : inner_(inner), settings_(settings) {}

  bool ReportContext(const Context& context) override { return inner_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override { inner_.Finalize(); }

  // Rows with at least one failed repetition.
  std::size_t failed_rows() const { return failed_rows_.size(); }
  // The words of all doubts, and how many rows have each.
  std::map<std::string, std::size_t> doubts() const;
  std::size_t doubtful_rows() const;

 private:
  // The label that a row's repetitions have in common, and how many have which doubt.
  struct Labels {
    std::string common;
    DoubtCount doubts;

    std::string OfAggregate() const;
  };
  void Learn(const Run& run);

  BenchmarkReporter& inner_;
  Settings settings_;
  std::set<std::string> failed_rows_;
  std::map<std::string, Labels> labels_;
};

}  // namespace rpycbench
