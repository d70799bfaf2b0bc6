// PyLatency: what Latency measures, by a client that is a Python program.
#include <string>
#include <vector>

#include "bench/types/presets.h"
#include "bench/types/python_rows.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

std::vector<std::string> OperationsOf(const Suite& suite, const ServerMode& mode) {
  std::vector<std::string> operations{"ping"};
  const bool rpyc = mode.protocol == Protocol::kRpyc;
  if (suite.options.preset == Preset::kDefault) return operations;
  if (rpyc) operations.push_back("ping_bound");
  for (const std::uint64_t size : EchoSizes(suite.options, mode)) {
    operations.push_back("echo/" + std::to_string(size));
  }
  for (const char* name : {"getattr", "getattr_missing", "setattr", "exception"}) {
    operations.emplace_back(name);
  }
  if (rpyc) operations.emplace_back("with");
  return operations;
}

void RegisterPyLatency(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (!HasRows("PyLatency", suite.options.preset, mode) || !HasPythonClients(suite, mode)) {
      continue;
    }
    for (const std::string& operation : OperationsOf(suite, mode)) {
      RegisterRow(suite, std::make_unique<PythonCallRow>(
                             suite, "PyLatency/" + std::string(mode.name) + '/' + operation, mode,
                             operation));
    }
  }
}

}  // namespace

extern const BenchmarkType kPyLatencyType{{.name = "PyLatency",
                                           .timed = "one call of a Python client on one connection",
                                           .variants = "as Latency's",
                                           .precision = 0.03,
                                           .counters = {counter::kRetries},
                                           .flags = {"--payload_bytes", "--python"}},
                                          RegisterPyLatency};

}  // namespace rpycbench
