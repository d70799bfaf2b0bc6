#include "bench/run/run.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/report/display/display.h"
#include "bench/report/display/progress.h"
#include "bench/report/results/csv_reporter.h"
#include "bench/report/results/distribution_files.h"
#include "bench/report/results/reporters.h"
#include "bench/report/results/result_file.h"
#include "bench/report/results/row_filter.h"
#include "bench/run/context.h"
#include "bench/run/describe.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/validity.h"
#include "fixtures/usage_error.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

using Reporter = benchmark::BenchmarkReporter;

constexpr char kProgram[] = "bench_all";

// The framework's minimum time per row in seconds, for presets that leave the number of iterations
// to it. The rows of `classic` fix their own number.
constexpr struct {
  Preset preset;
  const char* seconds;
} kMinTimes[] = {{Preset::kQuick, "0.01"}, {Preset::kDefault, "0.03"}, {Preset::kFull, "0.5"}};

void PrintHelp() {
  std::printf(
      "%s measures what a remote call costs.\n\nUsage: %s [flags]\n\nThe suite's flags:\n%s\n"
      "The framework's flags:\n  ",
      kProgram, kProgram, DescribeOptions().c_str());
  benchmark::PrintDefaultHelp();
  std::printf(
      "\nWithout --benchmark_format and --benchmark_counters_tabular, the display is the suite's:\n"
      "a table for each benchmark type, and a line for each row with the median of its\n"
      "repetitions. Either flag gives the framework's display instead, for example the usual one\n"
      "with --benchmark_format=console.\n"
      "\nExit status: %d if every row has its numbers, %d if a row ended in an error or the run\n"
      "could not be finished, %d for a bad flag or a filter that matches no row.\n",
      kSuccess, kFailure, kUsage);
}

// Returns whether the user asked for so little time that nothing but a first impression is wanted.
bool ChooseMinTime(Preset preset, FrameworkFlags& flags) {
  constexpr char kFlag[] = "benchmark_min_time";
  constexpr double kLittle = 0.05;
  std::optional<std::string> seconds = flags.Value(kFlag);
  const bool asked = seconds.has_value();
  if (!seconds) {
    for (const auto& choice : kMinTimes) {
      if (choice.preset == preset) seconds = choice.seconds;
    }
  }
  if (!seconds || seconds->ends_with('x')) return false;
  if (seconds->ends_with('s')) seconds->pop_back();
  flags.Set(kFlag, compat::MinTimeFlag(*seconds));
  return asked && std::atof(seconds->c_str()) < kLittle;
}

// Returns the flags for the framework, without files and aggregates, which the suite handles
// itself.
FrameworkFlags ForTheFramework(FrameworkFlags flags) {
  flags.Set("benchmark_out", "");
  for (const char* flag :
       {"benchmark_report_aggregates_only", "benchmark_display_aggregates_only"}) {
    if (flags.On(flag)) flags.Set(flag, "false");
  }
  return flags;
}

// The file that was asked for, if any. Only JSON can be written again at the end.
struct OutputFile {
  std::unique_ptr<Reporter> reporter;
  ResultFile* json = nullptr;
};

// Throws UsageError if the file cannot be written.
OutputFile MakeFile(const FrameworkFlags& flags, const TypeTable& types) {
  const std::string path = flags.ValueOr("benchmark_out", "");
  if (path.empty() || flags.On("benchmark_list_tests")) return {};
  CheckOutputPath(path);
  const std::string format = flags.ValueOr("benchmark_out_format", "json");
  if (format == "json") {
    auto file = std::make_unique<ResultFile>(path, DescribeForReaders(types));
    ResultFile* json = file.get();
    return {std::move(file), json};
  }
  std::unique_ptr<Reporter> reporter;
  if (format == "csv") {
    reporter = std::make_unique<CsvReporter>(SuiteCounters());
  } else {
    reporter = std::make_unique<benchmark::ConsoleReporter>(benchmark::ConsoleReporter::OO_None);
  }
  return {std::make_unique<TextFile>(path, std::move(reporter))};
}

std::string NothingMatched(const std::string& said, Preset preset) {
  std::string message = (said.empty() ? "no row matches" : OneLine(said)) +
                        "; --benchmark_list_tests lists the rows of the preset \"" +
                        std::string(ToString(preset)) + '"';
  if (preset != Preset::kFull) message += ", --preset=full has all of them";
  return message;
}

// Sets whether the framework lists rows instead of running them.
void SetListing(char* program, bool listing) {
  FrameworkFlags flags({});
  flags.Set("benchmark_list_tests", listing ? "true" : "false");
  flags.Initialize(program);
}

// Prints how many rows are doubtful and, for each kind of doubt, its meaning and remedy.
void PrintDoubts(const RowFilter& rows, std::size_t all) {
  std::vector<std::string> reasons;
  for (const auto& [doubt, count] : rows.doubts()) {
    reasons.push_back(std::to_string(count) + ' ' + doubt);
  }
  PrintMessage(std::to_string(rows.doubtful_rows()) + " of " + std::to_string(all) +
               " rows have doubts: " + Join(reasons, ", "));
  for (const DoubtKind& kind : doubt::kAll) {
    if (!rows.doubts().contains(std::string(kind.name))) continue;
    PrintMessage("  " + std::string(kind.name) + ": " + std::string(kind.meaning) + "; " +
                 std::string(kind.remedy));
  }
}

// Keeps what the framework lists, and its message if there is nothing to list.
class ListKeeper : public Reporter {
 public:
  ListKeeper() {
    SetOutputStream(&list_);
    SetErrorStream(&list_);
  }
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream list(list_.str());
    for (std::string line; std::getline(list, line);) lines.push_back(line);
    return lines;
  }

 private:
  std::ostringstream list_;
};

}  // namespace

void PrintMessage(std::string_view text) {
  std::fprintf(stderr, "%s: %s\n", kProgram, OneLine(text).c_str());
}

std::optional<CommandLine> ParseCommandLine(int argc, char** argv) {
  std::vector<std::string> own;
  std::vector<std::string> framework;
  for (int i = 1; i < argc; ++i) {
    (FrameworkFlags::Owns(argv[i]) ? framework : own).emplace_back(argv[i]);
  }
  if (std::ranges::count(own, "--help") + std::ranges::count(own, "-h") > 0) {
    PrintHelp();
    return std::nullopt;
  }
  if (std::ranges::count(own, "--version") > 0) {
    std::printf("%s\n", VersionLine().c_str());
    return std::nullopt;
  }
  CommandLine command{ParseOptions(std::move(own)), FrameworkFlags(std::move(framework)), argv[0]};
  command.options.shortest_rows = ChooseMinTime(command.options.preset, command.flags);
  ForTheFramework(command.flags).Initialize(argv[0]);
  return command;
}

std::vector<std::string> SelectedRows(const CommandLine& command) {
  ListKeeper keeper;
  SetListing(command.program, true);
  const std::size_t matched = benchmark::RunSpecifiedBenchmarks(&keeper, nullptr);
  SetListing(command.program, command.flags.On("benchmark_list_tests"));
  benchmark::ClearRegisteredBenchmarks();
  return matched > 0 ? keeper.Lines() : std::vector<std::string>();
}

int RunRows(const CommandLine& command, const std::vector<std::string>& rows,
            const TypeTable& types, const Stage& stage, Distributions* distributions) {
  const FrameworkFlags& flags = command.flags;
  const OutputFile file = MakeFile(flags, types);
  const std::unique_ptr<Reporter> own_display = MakeDisplay(command, rows, types);
  const bool report_aggregates = flags.On("benchmark_report_aggregates_only");
  RowFilter display(
      own_display ? *own_display : *benchmark::CreateDefaultDisplayReporter(),
      {.aggregates_only = !ShowsTable(flags) &&  // the table shows repetitions as one row
                          (report_aggregates || flags.On("benchmark_display_aggregates_only")),
       .strict = command.options.strict});
  const RowFilter::Settings in_file{.aggregates_only = report_aggregates,
                                    .strict = command.options.strict};
  std::optional<RowFilter> file_filter;
  if (file.reporter) file_filter.emplace(*file.reporter, in_file);
  std::optional<DistributionFiles> distribution_files;
  std::optional<RowFilter> distribution_filter;
  if (distributions != nullptr) {
    distribution_files.emplace(command.options, *distributions);
    distribution_filter.emplace(*distribution_files,
                                RowFilter::Settings{.strict = command.options.strict});
  }
  std::vector<Reporter*> all{&display};
  if (file_filter) all.push_back(&*file_filter);
  if (distribution_filter) all.push_back(&*distribution_filter);
  Reporters reporters(all);
  std::size_t failed_in_the_end = 0;
  const Finish finish = [&](const FinalReport& report) {
    if (file.json == nullptr) return;
    file.json->Finish(
        [&](Reporter& again) {
          RowFilter filter(again, in_file);
          for (const auto& runs : report.rows) filter.ReportRuns(runs);
          failed_in_the_end = filter.failed_rows();
        },
        report.probe);
  };
  const std::unique_ptr<Reporter> staged = stage ? stage(reporters, finish) : nullptr;
  Reporter* const last = staged ? staged.get() : &reporters;
  std::ostringstream said;  // the framework's message if nothing matches
  last->SetErrorStream(&said);

  if (const std::string warning = BuildWarning(); !warning.empty()) PrintMessage(warning);
  const std::unique_ptr<Progress> progress =
      flags.On("benchmark_list_tests")
          ? nullptr
          : MakeProgress(*last, RunsInOrder(flags) ? rows : std::vector<std::string>(),
                         rows.size());
  const std::size_t matched =
      benchmark::RunSpecifiedBenchmarks(progress ? static_cast<Reporter*>(progress.get()) : last);
  benchmark::ClearRegisteredBenchmarks();
  benchmark::Shutdown();
  if (!std::cout.flush()) throw std::runtime_error("cannot write everything to stdout");
  if (matched == 0) throw UsageError(NothingMatched(said.str(), command.options.preset));
  if (display.doubtful_rows() > 0) PrintDoubts(display, matched);
  // With --strict, the final figures may show a doubt that the display did not know.
  const std::size_t failed = std::max(display.failed_rows(), failed_in_the_end);
  if (failed == 0) return kSuccess;
  PrintMessage(std::to_string(failed) + " of " + std::to_string(matched) +
               " rows ended in an error");
  return kFailure;
}

int ReportErrors(const std::function<int()>& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    PrintMessage(error.what());
    return kUsage;
  } catch (const std::exception& error) {
    PrintMessage(error.what());
    return kFailure;
  }
}

}  // namespace rpycbench
