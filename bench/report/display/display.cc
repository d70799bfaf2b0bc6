#include "bench/report/display/display.h"

#include <unistd.h>

#include "bench/report/display/table_reporter.h"
#include "bench/report/display/terminal.h"
#include "bench/report/results/csv_reporter.h"
#include "bench/report/results/json_reporter.h"
#include "bench/report/results/row_order.h"

namespace rpycbench {
namespace {

// Used if nothing reveals the width.
constexpr std::size_t kTerminalColumns = 80;
constexpr std::size_t kFileColumns = 100;

std::size_t Columns() {
  return TerminalColumns(STDOUT_FILENO,
                         IsTerminal(STDOUT_FILENO) ? kTerminalColumns : kFileColumns);
}

bool HasColor(const FrameworkFlags& flags) {
  return flags.ValueOr("benchmark_color", "auto") == "auto" ? SuitsColors(STDOUT_FILENO)
                                                            : flags.On("benchmark_color");
}

}  // namespace

bool ShowsTable(const FrameworkFlags& flags) {
  return !flags.Value("benchmark_format") && !flags.Value("benchmark_counters_tabular");
}

bool RunsInOrder(const FrameworkFlags& flags) {
  return !flags.On("benchmark_enable_random_interleaving");
}

std::unique_ptr<benchmark::BenchmarkReporter> MakeDisplay(const CommandLine& command,
                                                          const std::vector<std::string>& rows,
                                                          const TypeTable& types) {
  const FrameworkFlags& flags = command.flags;
  const std::string format = flags.ValueOr("benchmark_format", "console");
  if (format == "json") return std::make_unique<JsonReporter>();
  if (format == "csv") return std::make_unique<CsvReporter>(SuiteCounters());
  if (!ShowsTable(flags)) return nullptr;
  auto table = std::make_unique<TableReporter>(
      TableReporter::Settings{.color = HasColor(flags),
                              .columns = Columns,
                              .ledger = command.options.ledger == true,
                              .pairs = command.options.pairs,
                              .types = types},
      DescribeRun(command.options), rows);
  if (RunsInOrder(flags)) return table;
  return std::make_unique<RowOrder>(std::move(table), rows);
}

}  // namespace rpycbench
