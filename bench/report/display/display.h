// Who shows the run on stdout, as the framework's flags ask for it.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/run/framework_flags.h"
#include "bench/run/run.h"

namespace rpycbench {

// Whether it is the suite's table, because none of the framework's formats was asked for.
bool ShowsTable(const FrameworkFlags& flags);

// Whether rows run in the order of their names.
bool RunsInOrder(const FrameworkFlags& flags);

// `rows` are the names of the rows to come. Null for the framework's console, which knows what it
// needs (colours, tables) from its flags.
std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(const CommandLine& command,
                                                          const std::vector<std::string>& rows,
                                                          const TypeTable& types);

}  // namespace rpycbench
