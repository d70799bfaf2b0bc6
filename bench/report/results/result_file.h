// The file that --benchmark_out names. What was measured must survive whatever ends the program, so
// a JSON file is a whole document after each row, put in place by a rename, or written over where
// no rename can go; a text file (console, csv) is flushed after each row. The framework would leave
// half a document behind.
#pragma once

#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bench/report/results/json_reporter.h"

namespace rpycbench {

// The framework's JSON document with more in it:
//   "errors"       [{"name": …, "message": …}, …]
//   "doubts"       [{"name": …, "repetition_index": …, "doubts": ["stalls:3", …]}, …]: rows whose
//                  label carries doubts
//   "context"      has the "description" of the suite's types, modes and counters
// A row with a failed repetition is in "errors" and not in "benchmarks", neither with its other
// repetitions nor with aggregates over them, so that a comparison of two files does not mistake it
// for a fast one.
class ResultFile : public benchmark::BenchmarkReporter {
 public:
  // The file appears, or is replaced, when the context is reported. Something that isn't a regular
  // file, like /dev/stdout, is written once at the end.
  explicit ResultFile(std::filesystem::path path, const boost::json::object& description = {});

  // All throw std::system_error if the file can't be written.
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  void AddError(const Run& run);
  void AddDoubts(const Run& run);
  std::string Document() const;
  void Save();

  std::filesystem::path path_;
  bool replaces_;
  bool in_place_ = false;  // a rename does not go there, so the file is written over
  JsonReporter json_;
  std::ostringstream text_;  // what json_ has written so far, without an end
  std::string end_;          // what json_ writes at the end
  boost::json::array errors_;
  boost::json::array doubts_;
  std::string description_;  // for the context; may be empty
  std::set<std::string> failed_rows_;
};

// What another reporter writes, as it writes it.
class TextFile : public benchmark::BenchmarkReporter {
 public:
  // The file is created, or emptied, when the context is reported.
  TextFile(std::filesystem::path path, std::unique_ptr<BenchmarkReporter> reporter);

  // All throw std::system_error if the file can't be written.
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  void Flush();

  std::filesystem::path path_;
  std::ofstream file_;
  std::unique_ptr<BenchmarkReporter> reporter_;
};

// Throws UsageError if a file of this name can be seen to be out of reach, and changes nothing.
void CheckOutputPath(const std::filesystem::path& path);

}  // namespace rpycbench
