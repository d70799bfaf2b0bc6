// What a person sees of a run: a table for each benchmark type and a line for each row, written as
// the row ends. Widths are fixed when a type begins. Repetitions share one line; aggregates have
// none. Programs read the formats of --benchmark_format and --benchmark_out instead.
//
//   Latency                   p50      p99    p99.9  × floor  trips  client CPU  server CPU
//     placement=shared payload=random
//     tcp_threaded/ping   11.2 µs  19.8 µs  31.4 µs    1.00×      1     5.62 µs     4.10 µs
//     compression=python dialect=5
//     rpyc_threaded/ping  27.9 µs  41.3 µs  58.6 µs    2.49×      2     12.3 µs     9.87 µs
//       ? steal:4%
//
// A condition appears above the first row that was measured under it. A row measured under other
// conditions names them after its figures, or on the next line where space is short. Doubts appear
// in the same place.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/display/styled_line.h"
#include "bench/report/display/table_columns.h"
#include "bench/report/results/measured_row.h"
#include "bench/run/context.h"
#include "bench/types/type.h"

namespace rpycbench {

class TableReporter : public benchmark::BenchmarkReporter {
 public:
  struct Settings {
    bool color = false;
    std::function<std::size_t()> columns = {};  // the terminal's width, asked for each table
    bool ledger = false;                        // whether its counts were asked for and are shown
    bool pairs = true;                          // whether rows are measured in pairs
    TypeTable types = {};
  };

  // `about` is the suite's part of the context. `rows` are the names of the rows to come.
  TableReporter(Settings settings, ContextEntries about, const std::vector<std::string>& rows);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  using Clock = std::chrono::steady_clock;
  using Notes = std::vector<std::pair<std::string, Style>>;

  void BeginTable(const MeasuredRow& row, bool repeated);
  void WriteNewConditions(const MeasuredRow& row);
  std::string OtherConditions(const MeasuredRow& row) const;
  Notes NotesOn(const MeasuredRow& row) const;
  void WriteRow(const MeasuredRow& row);
  void WriteWithNotes(const StyledLine& line, const Notes& notes);
  void Write(const StyledLine& line);
  void WriteWrapped(const std::string& text, std::size_t indent, Style style);

  Settings settings_;
  ContextEntries about_;
  std::map<std::string, std::size_t> longest_;  // the longest row name of each type
  std::size_t rows_ = 0;
  Clock::time_point start_ = Clock::now();
  // State of the table that is being written.
  std::string type_;
  std::size_t width_ = 0;
  std::size_t name_width_ = 0;
  std::vector<Column> figures_;
  std::map<std::string, std::string> conditions_;
};

}  // namespace rpycbench
