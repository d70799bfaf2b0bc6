// The program: measures every benchmark type with every server mode that the flags ask for. It also
// answers the flags that replace a measurement, such as --describe and --self_check.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/calibration/self_check.h"
#include "bench/report/results/floor_names.h"
#include "bench/run/context.h"
#include "bench/run/describe.h"
#include "bench/run/make_calls.h"
#include "bench/run/paired_rows.h"
#include "bench/run/rows_on_request.h"
#include "bench/run/run.h"
#include "bench/run/selection.h"
#include "bench/types/types.h"
#include "fixtures/meter/machine.h"
#include "fixtures/meter/placement.h"
#include "fixtures/pairs/pairing.h"
#include "fixtures/pairs/probe.h"
#include "fixtures/process/server_commands.h"
#include "fixtures/server_fixture.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

void RegisterRows(const Suite& suite) {
  for (const BenchmarkType* type : AllTypes()) type->register_rows(suite);
}

// Returns how long the pairs of a row take.
PairSettings PairsOf(const Options& options) {
  using std::chrono::milliseconds;
  PairSettings settings;
  if (options.shortest_rows) {
    settings.slot.time = settings.probe = milliseconds(0);
    settings.slot.calls = 1;
    settings.time = settings.rate_time = milliseconds(0);
    return settings;
  }
  if (options.preset == Preset::kQuick) settings.rate_time = milliseconds(850);
  if (options.preset == Preset::kFull) settings.time = settings.rate_time = milliseconds(1'000);
  return settings;
}

// Returns whether the client and the server of a selected row have CPUs of their own.
bool HasSplitRows(const std::vector<std::string>& selected, const RowIndex& index) {
  return std::ranges::any_of(index, [&](const auto& entry) {
    const auto& [name, row] = entry;  // the framework's name may have more parts
    return row->placement() == Placement::kSplit &&
           std::ranges::any_of(selected, [&](const std::string& full) {
             return full == name || full.starts_with(name + '/');
           });
  });
}

// Adds the machine to the context. Prints a message if it is busy with something else, and if rows
// that are `split` have no good pair of CPUs.
void DescribeMachineInContext(bool split) {
  constexpr std::chrono::milliseconds kWatch{100};
  const MachineFacts machine = ExamineMachine(PlanCpus(Placement::kFree).client, kWatch);
  AddContext(DescribeMachine(machine));
  const std::string reasons = Join(NoiseWarnings(machine), "; ");
  if (!reasons.empty()) PrintMessage("warning: this machine is not quiet: " + reasons);
  if (!split || !machine.pair || !machine.pair->server) return;
  for (const std::string& reason : PairWarnings(*machine.pair)) {
    PrintMessage("warning: placement split: CPUs " + std::to_string(*machine.pair->server) +
                 " and " + std::to_string(machine.pair->client) + ' ' + reason);
  }
}

}  // namespace
}  // namespace rpycbench

int main(int argc, char** argv) {
  using namespace rpycbench;
  return ReportErrors([&]() -> int {
    std::optional<CommandLine> command = ParseCommandLine(argc, argv);
    if (!command) return kSuccess;
    if (command->options.describe) {
      std::cout << Describe(TypeTable(AllTypes())) << '\n';
      return kSuccess;
    }
    if (command->options.serve_probe) return ServeProbe();
    command->options.pairs = command->options.pairs && !command->options.rows_on_request;
    ServerPool servers(StartServers(command->options));
    if (IsClientOfCountingPass(command->options)) {
      return MakeCalls(command->options, [&](std::span<const ServerMode> modes, RowIndex& rows) {
        RegisterRows({command->options, servers, modes, nullptr, &rows});
      });
    }
    CheckConditions(command->options);

    const auto end_servers = [&](int status) {
      if (status != kSuccess) return status;  // the failure has been reported
      const std::vector<std::string> bad_ends = servers.Clear();
      for (const std::string& report : bad_ends)
        PrintMessage("a server did not end well: " + report);
      return bad_ends.empty() ? status : kFailure;
    };
    if (command->options.self_check) {
      return end_servers(RunSelfCheck(command->options, servers));
    }
    Links links(command->options);
    PythonClients python_clients(command->options);
    CallLedger ledger(command->options, PrintMessage);
    Distributions all_distributions;
    const bool measures_here =
        !command->options.rows_on_request && !command->flags.On("benchmark_list_tests");
    Distributions* const distributions =
        measures_here && command->options.keeps_distributions() ? &all_distributions : nullptr;
    RowIndex index;
    const auto register_rows = [&](std::span<const ServerMode> modes,
                                   const Possible& possible = {}) {
      index.clear();
      RegisterRows({command->options, servers, modes, &ledger, &index, possible, nullptr,
                    &python_clients, distributions, &links});
    };
    const Selection selection = SelectModes(*command, links, register_rows);
    for (const std::string& note : selection.notes) PrintMessage(note);
    command->options.dialect_at_hand = selection.dialect_at_hand;
    AddContext(DescribeRun(command->options));
    AddContext(selection.facts);
    if (command->options.rows_on_request) AddContext({{"rows_on_request", kRequests}});
    const bool measures = !selection.rows.empty() && !command->flags.On("benchmark_list_tests");
    register_rows(selection.modes, selection.possible);
    if (measures && !command->options.rows_on_request) {
      // With a launcher, servers run where it puts them.
      DescribeMachineInContext(command->options.server_launcher.empty() &&
                               HasSplitRows(selection.rows, index));
    }
    if (command->options.rows_on_request) {
      return end_servers(RunRowsOnRequest(selection.rows, index, command->options.inject));
    }
    const TypeTable types(AllTypes());
    OwnedRows floors;
    RowIndex floor_index;
    const ServerMode floor_mode[] = {*FindMode(kFloorMode)};
    const bool pairs = measures && command->options.pairs;
    if (pairs) {
      RegisterRows({.options = command->options,
                    .pool = servers,
                    .modes = floor_mode,
                    .index = &floor_index,
                    .possible = selection.possible,
                    .owned = &floors});
    }
    const Stage in_pairs = [&](benchmark::BenchmarkReporter& inner, Finish finish) {
      return std::make_unique<PairedRows>(inner, std::move(finish), index, floor_index, types,
                                          PairsOf(command->options));
    };
    return end_servers(
        RunRows(*command, selection.rows, types, pairs ? Stage(in_pairs) : Stage(), distributions));
  });
}
