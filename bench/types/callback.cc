// Callback: a call that passes a function, which the server calls n times, one call after the
// other, before it answers. Each of these calls is a round trip in the other direction.
#include <string>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

void RegisterCallback(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if constexpr (requires(Client & client) { client.CallBack(1); }) {
      for (const std::uint64_t calls : CallbackCounts(suite.options, mode)) {
        const auto sum = static_cast<std::int64_t>(calls * (calls - 1) / 2);
        RegisterCallRow<Client>(
            suite, "Callback/" + std::string(mode.name) + "/calls:" + std::to_string(calls), mode,
            {.warmup_calls = suite.options.warmup_requests + 1, .ledger_in_default = true},
            suite.options.requests, [calls](Client& client) { return client.CallBack(calls); },
            [sum](std::int64_t answer) { return answer == sum; });
      }
    }
  });
}

}  // namespace

extern const BenchmarkType kCallbackType{
    {.name = "Callback",
     .timed = "one call during which the server calls the client n times",
     .variants = "RPyC and the floor `calls:<n>`"},
    RegisterCallback};

}  // namespace rpycbench
