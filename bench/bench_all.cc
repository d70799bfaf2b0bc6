// The program: measures every benchmark type against every server mode that the flags ask for.
#include <optional>

#include "bench/context.h"
#include "bench/rows.h"
#include "bench/run.h"
#include "fixtures/native_servers.h"

int main(int argc, char** argv) {
  using namespace rpycbench;
  return ReportErrors([&]() -> int {
    const std::optional<CommandLine> command = ParseCommandLine(argc, argv);
    if (!command) return kSuccess;
    CheckConditions(command->options);
    AddContext(command->options);

    ServerPool servers(NativeServers(command->options));
    const Suite suite{command->options, servers};
    RegisterFloor(suite);
    RegisterConnection(suite);
    RegisterLatency(suite);
    RegisterBandwidth(suite);
    RegisterBinaryTransfer(suite);
    RegisterConcurrent(suite);

    return RunRows(*command);
  });
}
