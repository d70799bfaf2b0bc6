// Stands between the framework and the reporters. It keeps finished rows until there are enough of
// them, measures the pairs of all of these in turns, and then reports them with what the pairs
// show. Rows stay in their order. What is quiet for the machine is known only at the end, so all
// rows are reported to the file once more.
#pragma once

#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/run/run.h"
#include "bench/types/type.h"
#include "fixtures/pairs/pairing.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

class PairedRows : public benchmark::BenchmarkReporter {
 public:
  // `rows` are those that the framework runs, `floors` those of the floor's mode. All of this must
  // outlive the object. `finish` gets the final report.
  PairedRows(BenchmarkReporter& inner, Finish finish, const RowIndex& rows, const RowIndex& floors,
             const TypeTable& types, const PairSettings& settings)
      : inner_(inner),
        finish_(std::move(finish)),
        rows_(rows),
        floors_(floors),
        types_(types),
        settings_(settings) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  // If the probe failed, rows from then on have no pairs. When all rows are reported, this throws
  // std::runtime_error.
  void Finalize() override;

 private:
  // What the framework reported in one call: all repetitions of a row, or their aggregates.
  struct Report {
    std::vector<Run> runs;
    std::vector<std::unique_ptr<PairedRow>> pairs;  // one for each run, or none
    PairedRow::Span loops;                          // when the framework measured them
  };

  // Returns nothing if the row makes no slots.
  std::vector<std::unique_ptr<PairedRow>> PairsFor(const std::vector<Run>& runs) const;
  ServerFixture* FloorOf(const std::string& row) const;
  // Takes a step that needs the probe, unless that has failed. The message of an exception is kept.
  void WithProbe(const std::function<void()>& step);
  void Flush();
  // Sets the figures of the pairs in all these runs by what is quiet now, and the aggregates.
  // `reported` says whether the pairs were reported before.
  void Revise(std::vector<Report>& reports, bool reported) const;
  boost::json::object DescribeCourse() const;

  BenchmarkReporter& inner_;
  Finish finish_;
  const RowIndex& rows_;
  const RowIndex& floors_;
  const TypeTable& types_;
  PairSettings settings_;
  std::optional<Pairing> pairing_;  // since the first row has run
  std::string probe_failure_;
  Samples::Clock::time_point loops_begin_{};
  std::vector<Report> kept_;
  std::vector<Report> reported_;
  std::size_t kept_pairs_ = 0;
  std::size_t kept_connections_ = 0;
  bool one_by_one_ = false;                // whether the kept ones can't take turns
  const PairedRow* first_kept_ = nullptr;  // one of the latest report that has pairs
};

}  // namespace rpycbench
