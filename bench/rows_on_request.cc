#include "bench/rows_on_request.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "bench/json_reporter.h"
#include "bench/usage_error.h"

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

// What the framework reports of the row, as one line.
std::string Run(const std::string& row) {
  std::ostringstream text;
  JsonReporter reporter;
  reporter.SetOutputStream(&text);
  reporter.SetErrorStream(&std::cerr);
  benchmark::RunSpecifiedBenchmarks(&reporter, nullptr, Only(row));
  std::string line = text.str();
  std::ranges::replace(line, '\n', ' ');  // between values only: in strings they are escaped
  return line;
}

}  // namespace

int RunRowsOnRequest(const std::vector<std::string>& rows, std::string& inject) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string row;
    words >> row;
    inject.clear();
    words >> inject;
    if (std::ranges::find(rows, row) == rows.end()) {
      throw UsageError("asked for \"" + row + "\", which is no row of this run");
    }
    std::cout << Run(row) << std::endl;
    if (!std::cout) throw std::runtime_error("cannot write to stdout");
  }
  benchmark::ClearRegisteredBenchmarks();
  return kSuccess;
}

}  // namespace rpycbench
