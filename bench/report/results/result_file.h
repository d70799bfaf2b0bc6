// The file that --benchmark_out names. The measurements must survive whatever ends the program,
// while the framework would leave half a document. So a JSON file is a complete document after each
// row, put in place by a rename, or overwritten where a rename is impossible. A text file (console,
// csv) is flushed after each row. Only the end of a run waits for the disk, because to do so at
// each row would take time and disturb the next row; so a loss of power may cost the rows of that
// run.
#pragma once

#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bench/report/results/flushed_file.h"
#include "bench/report/results/json_reporter.h"

namespace rpycbench {

// Writes the framework's JSON document with these additions:
//   "errors"       [{"name": …, "message": …}, …]
//   "doubts"       [{"name": …, "repetition_index": …, "doubts": ["stalls:3", …]}, …]: rows whose
//                  label carries doubts
//   "probe"        the course of the probe, if rows were measured in pairs: {"us": [its ping's time
//                  in each of many equal stretches, or null], "step_s": the length of a stretch,
//                  "quiet_us": the longest time that counts as quiet, "rows": [{"name": …,
//                  "repetition_index": …, "loop_s": [begin, end], "pairs_s": [begin, end]}, …]},
//                  in seconds since the first ping; no "pairs_s" without pairs
//   "context"      has the "description" of the suite's types, modes and counters
// A row with a failed repetition is in "errors" and not in "benchmarks". Its other repetitions and
// aggregates over them are left out, too, so that comparing two files does not mistake it for a
// fast one.
class ResultFile : public benchmark::BenchmarkReporter {
 public:
  // Creates or replaces the file when the context is reported. A file that is replaced keeps its
  // owner and mode, and a symbolic link to it remains one. Something that isn't a regular file,
  // like /dev/stdout, is written once at the end.
  explicit ResultFile(std::filesystem::path path, const boost::json::object& description = {});

  // Reports to the file. Each of these throws std::system_error if the file can't be written.
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;
  // Replaces all rows by what `report_again` reports, and adds the probe's course.
  void Finish(const std::function<void(BenchmarkReporter&)>& report_again,
              const boost::json::object& probe);

 private:
  void AddError(const Run& run);
  void AddDoubts(const Run& run);
  std::string Document() const;
  void Save();

  std::filesystem::path path_;
  bool replaces_;
  bool saves_rows_ = true;
  bool in_place_ = false;  // a rename is impossible, so the file is overwritten
  JsonReporter json_;
  std::ostringstream text_;  // what json_ has written so far, without the document's end
  std::string begin_;        // what it has written before the first row
  std::string end_;          // what json_ writes at the end
  boost::json::array errors_;
  boost::json::array doubts_;
  boost::json::object probe_;
  std::string description_;  // added to the context; may be empty
  std::set<std::string> failed_rows_;
};

// Writes what another reporter writes, unchanged.
class TextFile : public benchmark::BenchmarkReporter {
 public:
  // Creates or empties the file when the context is reported.
  TextFile(std::filesystem::path path, std::unique_ptr<BenchmarkReporter> reporter);

  // Reports to the file. Each of these throws std::system_error if the file can't be written.
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  FlushedFile file_;
  std::unique_ptr<BenchmarkReporter> reporter_;
};

// Checks `path` without changing anything. Throws UsageError if it is evident that no file of this
// name can be written.
void CheckOutputPath(const std::filesystem::path& path);

}  // namespace rpycbench
