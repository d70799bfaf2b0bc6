// The text around the tables of a run: the build and machine, how to read the columns, and the
// number of rows.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/run/context.h"

namespace rpycbench {

// Returns two lines: the program with its build and preset, and the machine. `about` is the result
// of DescribeRun.
std::vector<std::string> DescribeContext(const benchmark::BenchmarkReporter::Context& context,
                                         const ContextEntries& about);

// Returns how to read the columns; `ledger` includes those of the ledger.
std::string Legend(bool ledger);

// Returns "46 rows in 0:28".
std::string EndOfRun(std::size_t rows, std::chrono::seconds time);

}  // namespace rpycbench
