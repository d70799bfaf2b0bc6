// What stands around the tables of a run: of which build and machine they tell, how they are read,
// and how much there was.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/run/context.h"

namespace rpycbench {

// Two lines: the program with its build and preset; the machine. `about` is what DescribeRun says.
std::vector<std::string> DescribeContext(const benchmark::BenchmarkReporter::Context& context,
                                         const ContextEntries& about);

// How the columns are to be read, those of the ledger included.
std::string Legend(bool ledger);

// "46 rows in 0:28".
std::string EndOfRun(std::size_t rows, std::chrono::seconds time);

}  // namespace rpycbench
