// A filter between the framework and a reporter. It counts the rows that ended in an error and
// decides which repetitions are reported. With --strict it turns doubts into errors. It replaces
// the framework's own "aggregates only", which drops failed repetitions as well. A row with one
// failure of three would then look like a good one. The framework would also drop the label of
// aggregates whose repetitions differ in their doubts.
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
    bool aggregates_only = false;  // for rows with aggregates, only those and failures
    bool strict = false;           // a repetition with doubts counts as failed
  };

  // `inner` must outlive this object.
  RowFilter(BenchmarkReporter& inner, const Settings& settings)
      : inner_(inner), settings_(settings) {}

  bool ReportContext(const Context& context) override { return inner_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override { inner_.Finalize(); }

  // Returns the number of rows with at least one failed repetition.
  std::size_t failed_rows() const { return failed_rows_.size(); }
  // Returns the names of all doubts, with the number of rows that have each.
  std::map<std::string, std::size_t> doubts() const;
  std::size_t doubtful_rows() const;

 private:
  // The label that a row's repetitions have in common, and how many of them have which doubt.
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
