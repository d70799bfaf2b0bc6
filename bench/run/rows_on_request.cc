#include "bench/run/rows_on_request.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "bench/report/results/json_reporter.h"
#include "fixtures/usage_error.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

// Returns a regular expression that matches only this row.
std::string Only(std::string_view row) {
  std::string expression = "^";
  for (const char c : row) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression + '$';
}

// Restores the row's name: the framework adds a requested number of iterations to it, but nothing
// else expects that.
class RequestReporter : public JsonReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> named = runs;
    for (Run& run : named) run.run_name.iterations.clear();
    JsonReporter::ReportRuns(named);
  }
};

// Rows whose number of iterations was requested, and the framework's names for them since then.
class NamedIterations {
 public:
  explicit NamedIterations(const RowIndex& index) : index_(index) {}

  void Set(const std::string& row, const std::string& number) {
    const std::size_t suffix = row.rfind('/');  // what is measured, "/real_time"
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

// Returns the framework's report of the row as one line.
std::string Run(const std::string& row) {
  std::ostringstream text;
  RequestReporter reporter;
  reporter.SetOutputStream(&text);
  reporter.SetErrorStream(&std::cerr);
  benchmark::RunSpecifiedBenchmarks(&reporter, nullptr, Only(row));
  return OneLine(text.str());  // line breaks are only between values, because strings escape them
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
