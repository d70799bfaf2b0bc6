// PyConcurrent: what Concurrent measures, by a client that is a Python program with a thread for
// each connection. SharedConnection: threads of such a program that share one connection of RPyC
// and take turns at receiving answers, beside a thread that looks for requests of the server
// (rpyc's BgServingThread).
#include <string>

#include "bench/types/presets.h"
#include "bench/types/python_rows.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

void Register(const Suite& suite, const ServerMode& mode, const std::string& prefix,
              std::int64_t threads, bool shared) {
  RegisterRow(suite,
              std::make_unique<PythonThreadsRow>(suite, prefix + std::to_string(threads), mode,
                                                 static_cast<std::size_t>(threads), shared));
}

void RegisterPyConcurrent(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (!HasRows("PyConcurrent", suite.options.preset, mode) || !HasPythonClients(suite, mode)) {
      continue;
    }
    for (const std::int64_t clients : PythonThreadCounts(suite.options, mode)) {
      Register(suite, mode, "PyConcurrent/" + std::string(mode.name) + "/clients:", clients, false);
    }
  }
}

void RegisterSharedConnection(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (!HasRows("SharedConnection", suite.options.preset, mode) ||
        !HasPythonClients(suite, mode)) {
      continue;
    }
    for (const std::int64_t threads : PythonThreadCounts(suite.options, mode)) {
      Register(suite, mode, "SharedConnection/" + std::string(mode.name) + "/threads:", threads,
               true);
    }
  }
}

}  // namespace

extern const BenchmarkType kPyConcurrentType{
    {.name = "PyConcurrent",
     .timed = "N threads of a Python client × 100 requests, released together",
     .variants = "`clients:<n>`",
     .primary = kCallRate,
     .is_rate = true,
     .precision = 0.03,
     .counters = {counter::kRetries},
     .flags = {"--clients", "--requests_per_client", "--per_client_file", "--python"}},
    RegisterPyConcurrent};

extern const BenchmarkType kSharedConnectionType{
    {.name = "SharedConnection",
     .timed = "N threads of a Python client × 100 requests on one connection",
     .variants = "RPyC `threads:<n>`",
     .primary = kCallRate,
     .is_rate = true,
     .has_floor = false,
     .precision = 0.03,
     .flags = {"--clients", "--requests_per_client", "--per_client_file", "--python"}},
    RegisterSharedConnection};

}  // namespace rpycbench
