// Stands between the framework and a reporter: counts the rows that ended in an error, and decides
// which repetitions are reported. The framework itself, asked for aggregates only, would drop the
// repetitions that failed with those that did not, and a row of three repetitions, one of them
// failed, would look like a good one.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace rpycbench {

class RowFilter : public benchmark::BenchmarkReporter {
 public:
  // `inner` must outlive this. With `aggregates_only`, of a row with aggregates only those and its
  // failed repetitions are passed on.
  RowFilter(BenchmarkReporter& inner, bool aggregates_only)
      : inner_(inner), aggregates_only_(aggregates_only) {}

  bool ReportContext(const Context& context) override { return inner_.ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override { inner_.Finalize(); }

  // Rows with at least one failed repetition.
  std::size_t failed_rows() const { return failed_rows_.size(); }

 private:
  BenchmarkReporter& inner_;
  bool aggregates_only_;
  std::set<std::string> failed_rows_;
};

}  // namespace rpycbench
