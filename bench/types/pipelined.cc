// Pipelined: k pings are in flight at once, and the row times them until the last answer. RPyC
// sends all of them on one connection, as Python's rpyc.async_ does. HTTP and the floor take one at
// a time on a connection, so their clients use k connections. The variant as_library leaves Nagle's
// algorithm on at both ends, as Python's library does. The server then holds its third answer back
// until the client acknowledges the second, which takes 40 ms. A Python server has no other
// variant, because only its library could set TCP_NODELAY there.
#include <string>
#include <type_traits>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

template <class Client>
void RegisterDepth(const Suite& suite, const ServerMode& mode, const std::string& variant,
                   std::uint64_t depth, CallRowSettings settings) {
  settings.warmup_calls = suite.options.warmup_requests + 1;
  RegisterCallRow<Client>(
      suite,
      "Pipelined/" + std::string(mode.name) + '/' + variant + "depth:" + std::to_string(depth),
      mode, settings, suite.options.requests,
      [depth](Client& client) { return client.PingsAtOnce(depth); },
      [depth](std::uint64_t right) { return right == depth; });
}

void RegisterPipelined(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    for (const std::uint64_t depth : PipelineDepths(suite.options, mode)) {
      if constexpr (std::is_same_v<Client, RpycClient>) {
        if (!mode.software.is_python()) RegisterDepth<Client>(suite, mode, "", depth, {});
        const std::vector<std::string> nagle{"--nodelay=off", "--quick_ack=off"};
        RegisterDepth<Client>(
            suite, mode, "as_library/", depth,
            {.tail = Tail::kP50,
             .client = {.socket = {.nodelay = false, .quick_ack = false}},
             .server_flags = mode.software.is_python() ? std::vector<std::string>() : nagle});
      } else {
        RegisterDepth<ConnectionsAtOnce<Client>>(suite, mode, "", depth,
                                                 {.connections = static_cast<std::size_t>(depth)});
      }
    }
  });
}

}  // namespace

extern const BenchmarkType kPipelinedType{
    {.name = "Pipelined",
     .timed = "k calls in flight at once, until the last answer",
     .variants = "`depth:<k>`; RPyC `as_library/depth:<k>`"},
    RegisterPipelined};

}  // namespace rpycbench
