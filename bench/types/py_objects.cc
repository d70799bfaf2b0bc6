// PyObjects: what Objects measures, by a client that is a Python program.
#include <string>
#include <vector>

#include "bench/types/presets.h"
#include "bench/types/python_rows.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

std::vector<std::string> WaysOf(const ServerMode& mode) {
  if (mode.protocol == Protocol::kHttp) return {"one_by_one", "batch"};
  return {"attribute_each", "buffiter", "obtain", "by_value"};
}

void RegisterPyObjects(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (!HasRows("PyObjects", suite.options.preset, mode) || !HasPythonClients(suite, mode)) {
      continue;
    }
    for (const std::string& way : WaysOf(mode)) {
      for (const std::uint64_t count : ObjectCounts(suite.options, mode)) {
        const std::string operation = way + '/' + std::to_string(count);
        RegisterRow(suite, std::make_unique<PythonCallRow>(
                               suite, "PyObjects/" + std::string(mode.name) + '/' + operation, mode,
                               operation, Tail::kP50));
      }
    }
  }
}

}  // namespace

extern const BenchmarkType kPyObjectsType{
    {.name = "PyObjects",
     .timed = "a list of objects, until a Python client has read an attribute of each",
     .variants = "as Objects'",
     .precision = 0.03,
     .counters = {counter::kRetries},
     .flags = {"--python"}},
    RegisterPyObjects};

}  // namespace rpycbench
