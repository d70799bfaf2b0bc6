// PyLink: what Link measures, by a client that is a Python program. Python's RPyC leaves Nagle's
// algorithm on, which holds a request back while a release before it is not acknowledged. That
// takes one exchange more than the client asks for.
#include <string>
#include <vector>

#include "bench/types/link_row.h"
#include "bench/types/presets.h"
#include "bench/types/python_rows.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

std::vector<std::string> OperationsOf(const ServerMode& mode) {
  const std::string upload = "upload/" + std::to_string(kLinkUploadBytes);
  if (mode.protocol == Protocol::kHttp) {
    return {"ping", "getattr", "getattr_missing", "one_by_one/10", "batch/10", "connect", upload};
  }
  return {"ping",
          "ping_nodelay",
          "ping_bound",
          "getattr",
          "getattr_missing",
          "list/20",
          "buffiter_list/20",
          "obtain_list/20",
          "attribute_each/10",
          "attribute_each_bound/10",
          "buffiter/10",
          "obtain/10",
          "by_value/10",
          "pipelined/10",
          "connect",
          upload};
}

void RegisterPyLink(const Suite& suite) {
  if (!suite.possible.links) return;
  for (const ServerMode& mode : suite.modes) {
    if (!HasPythonClients(suite, mode)) continue;
    const std::vector<Rtt> rtts = PyLinkRtts(suite.options, mode);
    for (const std::string& operation : OperationsOf(mode)) {
      const auto make = [=](const Suite& hidden, const std::string& name, Rtt rtt) {
        return std::make_unique<PythonCallRow>(hidden, name, mode, operation, Tail::kP50, rtt);
      };
      RegisterLinkRows(suite, mode,
                       {.name = "PyLink/" + std::string(mode.name) + '/' + operation,
                        .make = make,
                        .python_client = true,
                        .connects = operation == "connect"},
                       rtts);
    }
  }
}

}  // namespace

extern const BenchmarkType kPyLinkType{
    {.name = "PyLink",
     .timed = "one call of a Python client across a link that delays packets",
     .variants = "as Link's; RPyC also `ping_nodelay`, `attribute_each_bound/10`, `list/20`, "
                 "`buffiter_list/20`, `obtain_list/20`; then `rtt_us:<r>`",
     .primary = {"exchanges", counter::kExchanges},
     .has_floor = false,
     .has_calls = false,
     .counters = {counter::kExchanges, counter::kExchangesLow, counter::kExchangesHigh,
                  counter::kLocal, counter::kRetries},
     .flags = {"--rtt", "--link_rate", "--python"}},
    RegisterPyLink};

}  // namespace rpycbench
