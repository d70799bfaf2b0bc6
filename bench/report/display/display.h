// Chooses the reporter that shows the run on stdout, as the framework's flags ask for it. The
// suite's own table is the default; a format of the framework replaces it.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/run/framework_flags.h"
#include "bench/run/run.h"

namespace rpycbench {

// Returns whether stdout gets the suite's table, because the flags ask for no format of the
// framework's.
bool ShowsTable(const FrameworkFlags& flags);

// Returns whether rows run in the order of their names.
bool RunsInOrder(const FrameworkFlags& flags);

// Returns the reporter for stdout. `rows` are the names of the rows to come. Returns null for the
// framework's console, which takes what it needs (colours, tables) from its own flags.
std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(const CommandLine& command,
                                                          const std::vector<std::string>& rows,
                                                          const TypeTable& types);

}  // namespace rpycbench
