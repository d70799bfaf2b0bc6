// Latency: one client, one connection, one call after the other. RPyC's ping stands in three rows:
// as a Python program causes it (two round trips and a release), through a bound method that is
// held, and as one request that names the method.
#include <string>
#include <type_traits>
#include <vector>

#include "bench/call_row.h"
#include "bench/rows.h"

namespace rpycbench {
namespace {

constexpr auto kIsPong = [](std::string_view reply) { return reply == "pong"; };

std::vector<std::uint64_t> EchoSizes(Preset preset) {
  if (preset == Preset::kQuick) return {64, 1024};
  return {64, 1024, 10 * 1024, 100 * 1024};
}

template <class Client>
void RegisterMode(const Suite& suite, const ServerMode& mode) {
  const Options& options = suite.options;
  const std::string prefix = "Latency/" + std::string(mode.name) + "/";
  const auto add_ping = [&](const std::string& variant, auto call) {
    RegisterCallRow<Client>(suite, prefix + variant, mode,
                            {.warmup_calls = options.warmup_requests + 1}, options.requests, call,
                            kIsPong);
  };
  add_ping("ping", [](Client& client) { return client.Ping(); });
  if constexpr (std::is_same_v<Client, RpycClient>) {
    add_ping("ping_bound", [](Client& client) { return client.PingBound(); });
    add_ping("ping_callattr", [](Client& client) { return client.PingCallAttr(); });
  }
  for (const std::uint64_t size : EchoSizes(options.preset)) {
    const auto payload = service::Payload::Of(options.payload, size);
    RegisterCallRow<Client>(
        suite, prefix + "echo/" + std::to_string(size), mode,
        {.warmup_calls = options.warmup_requests + 1, .bytes_per_call = size}, options.requests,
        [payload](Client& client) { return client.Echo(payload); },
        [payload](std::string_view reply) { return payload.Matches(reply); });
  }
}

}  // namespace

void RegisterLatency(const Suite& suite) {
  ForEachMode([&]<class Client>(const ServerMode& mode) { RegisterMode<Client>(suite, mode); });
}

}  // namespace rpycbench
