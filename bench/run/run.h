// How the suite runs as a program: what its command line means, who reports, and with which status
// it exits. The framework keeps doing what it is good at; what it leaves open (rows that failed,
// filters that match nothing, malformed flags, a file that must survive) is settled here.
//
//   return ReportErrors([&]() -> int {
//     const std::optional<CommandLine> command = ParseCommandLine(argc, argv);
//     if (!command) return kSuccess;
//     const Selection selection = SelectModes(*command, register_rows);
//     AddContext(DescribeRun(command->options));
//     …register the rows of selection.modes…
//     return RunRows(*command, selection.rows);
//   });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/run/framework_flags.h"
#include "bench/types/type.h"
#include "fixtures/options.h"

namespace rpycbench {

enum ExitCode : int {
  kSuccess = 0,  // every row that was asked for has its numbers
  kFailure = 1,  // a row ended in an error, or the run could not be finished
  kUsage = 2,    // nothing was measured: a bad flag, or no row matched
};

struct CommandLine {
  Options options;
  FrameworkFlags flags;
  char* program;  // argv[0], which the framework keeps
};

// Reads the suite's flags and the framework's, hands the framework its own, and gives the preset's
// measuring time to it if the user gave none. Answers --help and --version on stdout; empty then.
// Throws OptionsError or UsageError.
std::optional<CommandLine> ParseCommandLine(int argc, char** argv);

// The names of the registered rows that the filter matches; drops all registered rows. None if the
// filter is no regular expression, too.
std::vector<std::string> SelectedRows(const CommandLine& command);

// One line on stderr, behind the program's name.
void PrintMessage(std::string_view text);

// Runs, or lists, the registered rows that the filter matches, then drops all registered rows.
// Returns kSuccess, or kFailure if a row ended in an error. Throws UsageError if nothing matches or
// the output file is out of reach, std::runtime_error if it or stdout can't be written later on.
// `rows` are their names, in order, for telling how far the run has come; `types` are the suite's.
int RunRows(const CommandLine& command, const std::vector<std::string>& rows,
            const TypeTable& types);

// What `body` returns, or the code for the exception it throws, with one line on stderr.
int ReportErrors(const std::function<int()>& body);

}  // namespace rpycbench
