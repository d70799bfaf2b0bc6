// Connection: the time until a new connection has answered its first call.
#include <string>
#include <type_traits>

#include "bench/types/connection_row.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

void RegisterConnection(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    const std::string name = "Connection/" + std::string(mode.name);
    RegisterConnectionRow<Client>(suite, name, mode, {});
    if constexpr (std::is_same_v<Client, RpycClient>) {
      RegisterConnectionRow<Client>(suite, name + "/python_opening", mode,
                                    {.opening = Opening::kPython});
    }
  });
}

}  // namespace

extern const BenchmarkType kConnectionType{
    {.name = "Connection",
     .timed = "from connecting to the first verified reply; the close is not timed",
     .variants = "none; RPyC `python_opening`",
     .precision = 0.02,
     .counters = {counter::kTcpConnect, counter::kHandshake, counter::kFirstCall},
     .flags = {"--connections"}},
    RegisterConnection};

}  // namespace rpycbench
