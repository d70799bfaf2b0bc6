// Stands between the framework and the reporters. It keeps finished rows until there are enough of
// them, measures the pairs of all of these in turns, and then reports them with what the pairs
// show. Rows stay in their order.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bench/types/type.h"
#include "fixtures/pairs/pairing.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

class PairedRows : public benchmark::BenchmarkReporter {
 public:
  // `rows` are those that the framework runs, `floors` those of the floor's mode. All of this must
  // outlive the object.
  PairedRows(BenchmarkReporter& inner, const RowIndex& rows, const RowIndex& floors,
             const TypeTable& types, const PairSettings& settings)
      : inner_(inner), rows_(rows), floors_(floors), types_(types), settings_(settings) {}

  bool ReportContext(const Context& context) override { return inner_.ReportContext(context); }
  // Throws std::runtime_error if the probe cannot be measured.
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  // What the framework reported in one call: all repetitions of a row, or their aggregates.
  struct Report {
    std::vector<Run> runs;
    std::vector<PairedRow> pairs;  // one for each run, or none
  };

  // Returns nothing if the row makes no slots.
  std::vector<PairedRow> PairsFor(const std::vector<Run>& runs) const;
  ServerFixture* FloorOf(const std::string& row) const;
  void Flush();

  BenchmarkReporter& inner_;
  const RowIndex& rows_;
  const RowIndex& floors_;
  const TypeTable& types_;
  PairSettings settings_;
  std::optional<Pairing> pairing_;  // since the first row that has pairs
  std::vector<Report> kept_;
  std::size_t kept_pairs_ = 0;
  std::size_t kept_connections_ = 0;
  bool one_by_one_ = false;  // whether the kept ones can't take turns
};

}  // namespace rpycbench
