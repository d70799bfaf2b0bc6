#include "bench/run/rows_on_request.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "bench/report/results/json_reporter.h"
#include "bench/run/usage_error.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

// A regular expression that matches this row alone.
std::string Only(std::string_view row) {
  std::string expression = "^";
  for (const char c : row) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression + '$';
}

// A number of iterations that was asked for is part of a row's name for the framework, and for
// nobody else.
class RequestReporter : public JsonReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> named = runs;
    for (Run& run : named) run.run_name.iterations.clear();
    JsonReporter::ReportRuns(named);
  }
};

// Rows whose iterations were named, and how the framework calls them since.
class NamedIterations {
 public:
  explicit NamedIterations(const RowIndex& index) : index_(index) {}

  void Set(const std::string& row, const std::string& number) {
    const std::size_t suffix = row.rfind('/');  // what the framework measures, "/real_time"
    const auto found = index_.find(row.substr(0, suffix));
    const auto iterations = ParseWhole<benchmark::IterationCount>(number);
    if (iterations.value_or(0) < 1 || found == index_.end()) {
      throw UsageError("asked for iterations:" + number + " of \"" + row +
                       "\", which takes none, or a number from 1 on");
    }
    found->second->FixIterations(*iterations);
    names_[row] = row.substr(0, suffix) + "/iterations:" + number + row.substr(suffix);
  }
  const std::string& NameOf(const std::string& row) const {
    const auto found = names_.find(row);
    return found == names_.end() ? row : found->second;
  }

 private:
  const RowIndex& index_;
  std::map<std::string, std::string> names_;
};

// What the framework reports of the row, as one line.
std::string Run(const std::string& row) {
  std::ostringstream text;
  RequestReporter reporter;
  reporter.SetOutputStream(&text);
  reporter.SetErrorStream(&std::cerr);
  benchmark::RunSpecifiedBenchmarks(&reporter, nullptr, Only(row));
  return OneLine(text.str());  // line breaks are between values only: in strings they are escaped
}

}  // namespace

int RunRowsOnRequest(const std::vector<std::string>& rows, const RowIndex& index,
                     std::string& inject) {
  constexpr std::string_view kIterations = "iterations:";
  NamedIterations iterations(index);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string row;
    words >> row;
    if (std::ranges::find(rows, row) == rows.end()) {
      throw UsageError("asked for \"" + row + "\", which is no row of this run");
    }
    inject.clear();
    for (std::string word; words >> word;) {
      if (word.starts_with(kIterations)) {
        iterations.Set(row, word.substr(kIterations.size()));
      } else {
        inject = word;
      }
    }
    std::cout << Run(iterations.NameOf(row)) << std::endl;
    if (!std::cout) throw std::runtime_error("cannot write to stdout");
  }
  benchmark::ClearRegisteredBenchmarks();
  return kSuccess;
}

}  // namespace rpycbench
