// The program: measures every benchmark type against every server mode that the flags ask for.
#include <optional>
#include <span>

#include "bench/context.h"
#include "bench/rows.h"
#include "bench/run.h"
#include "bench/selection.h"
#include "fixtures/server_commands.h"

namespace rpycbench {
namespace {

void RegisterRows(const Suite& suite) {
  RegisterFloor(suite);
  RegisterConnection(suite);
  RegisterLatency(suite);
  RegisterBandwidth(suite);
  RegisterBinaryTransfer(suite);
  RegisterConcurrent(suite);
  RegisterCompute(suite);
  RegisterIsolation(suite);
}

}  // namespace
}  // namespace rpycbench

int main(int argc, char** argv) {
  using namespace rpycbench;
  return ReportErrors([&]() -> int {
    const std::optional<CommandLine> command = ParseCommandLine(argc, argv);
    if (!command) return kSuccess;
    CheckConditions(command->options);

    ServerPool servers(StartServers(command->options));
    const auto register_rows = [&](std::span<const ServerMode> modes) {
      RegisterRows({command->options, servers, modes});
    };
    const Selection selection = SelectModes(*command, register_rows);
    for (const std::string& note : selection.notes) Tell(note);
    AddContext(command->options, selection.versions);
    register_rows(selection.modes);
    return RunRows(*command);
  });
}
