// How the suite runs as a program: what its command line means, who reports, and with which status
// it exits. The framework runs the rows. This file settles what it leaves open: failed rows,
// filters that match nothing, malformed flags, and the output file's survival.
//
//   return ReportErrors([&]() -> int {
//     const std::optional<CommandLine> command = ParseCommandLine(argc, argv);
//     if (!command) return kSuccess;
//     const Selection selection = SelectModes(*command, links, register_rows);
//     AddContext(DescribeRun(command->options));
//     …register the rows of selection.modes…
//     return RunRows(*command, selection.rows);
//   });
#pragma once

#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/run/framework_flags.h"
#include "bench/types/type.h"
#include "fixtures/meter/distributions.h"
#include "fixtures/options.h"

namespace rpycbench {

enum ExitCode : int {
  kSuccess = 0,  // every requested row has its numbers
  kFailure = 1,  // a row ended in an error, or the run could not be finished
  kUsage = 2,    // nothing was measured: a bad flag, or no row matched
};

struct CommandLine {
  Options options;
  FrameworkFlags flags;
  char* program;  // argv[0], which the framework keeps
};

// Reads the suite's flags and the framework's, and passes the latter on, with the preset's
// measuring time if the user gave none. Returns nothing after it has answered --help or --version
// on stdout. Throws OptionsError or UsageError.
std::optional<CommandLine> ParseCommandLine(int argc, char** argv);

// Returns the names of the registered rows that the filter matches, and drops all registered rows.
// Returns no names if the filter is not a valid regular expression.
std::vector<std::string> SelectedRows(const CommandLine& command);

// Writes one line to stderr, after the program's name.
void PrintMessage(std::string_view text);

// What is known once the run has ended: all that was reported, with final figures, and the course
// of the probe.
struct FinalReport {
  std::vector<std::vector<benchmark::BenchmarkReporter::Run>> rows;
  boost::json::object probe;
};
// Writes the final report to the result file, in place of the first one.
using Finish = std::function<void(const FinalReport&)>;

// Makes a reporter that passes rows on to the given one, with what it adds to them. It may call
// `finish` before it is finalized.
using Stage = std::function<std::unique_ptr<benchmark::BenchmarkReporter>(
    benchmark::BenchmarkReporter& inner, Finish finish)>;

// Runs, or lists, the registered rows that the filter matches, then drops all registered rows.
// `rows` are their names, in order, for the progress line; `types` are the suite's. The files that
// have whole distributions get them from `distributions`, unless that is null. Returns kSuccess, or
// kFailure if a row ended in an error. Throws UsageError if nothing matches or the output file
// cannot be written to. `stage`, if there is one, sees every row first. Throws std::runtime_error
// if that file or stdout can't be written later on.
int RunRows(const CommandLine& command, const std::vector<std::string>& rows,
            const TypeTable& types, const Stage& stage = {},
            Distributions* distributions = nullptr);

// Returns what `body` returns. If it throws, writes one line to stderr and returns the code for the
// exception.
int ReportErrors(const std::function<int()>& body);

}  // namespace rpycbench
