// Latency: one client, one connection, one call after the other. RPyC's ping has three rows. A
// Python program issues it as two round trips and a release. The others call a bound method that is
// held, and send one request that names the method. Its echo also comes with a list, which crosses
// by reference. None of the list's bytes cross, but a reference is made and released. Programs also
// read and set attributes, look for missing ones, catch exceptions and enter context managers.
#include <string>
#include <type_traits>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

// Every preset has an echo by value of this size.
constexpr std::uint64_t kListBytes = 1024;

constexpr auto kIsPong = [](std::string_view reply) { return reply == "pong"; };

constexpr auto kIsTrue = [](bool right) { return right; };

// Sets an attribute. RPyC's answer has no content, and HTTP's could be what was asked for rather
// than what was stored, so the attribute is read at the end.
struct SetNext {
  template <class Client>
  bool operator()(Client& client) const {
    return client.SetNext();
  }
  template <class Client>
  void Finish(Client& client) const {
    if constexpr (requires { client.HasSet(); }) Verify(client.HasSet(), "setattr");
  }
};

// Registers what programs do besides calls of methods, as far as the protocol has it.
template <class Client>
void RegisterProgramRows(const Suite& suite, const ServerMode& mode) {
  if (!HasRows("Latency/getattr", suite.options.preset, mode)) return;
  const auto add = [&](const std::string& variant, auto call, auto check) {
    RegisterCallRow<Client>(
        suite, "Latency/" + std::string(mode.name) + '/' + variant, mode,
        {.warmup_calls = suite.options.warmup_requests + 1, .ledger_in_default = true},
        suite.options.requests, call, check);
  };
  add(
      "getattr", [](Client& client) { return client.GetValue(); },
      [](std::int64_t value) { return value == service::kValue; });
  if constexpr (requires(Client & client) { client.LacksAttribute(); }) {
    add(
        "getattr_missing", [](Client& client) { return client.LacksAttribute(); }, kIsTrue);
  }
  add("setattr", SetNext(), kIsTrue);
  add(
      "exception", [](Client& client) { return client.Fails(); }, kIsTrue);
  if constexpr (std::is_same_v<Client, RpycClient>) {
    add(
        "with", [](Client& client) { return client.EnterAndLeave(); }, kIsTrue);
  }
}

template <class Client>
void RegisterLatencyRows(const Suite& suite, const ServerMode& mode) {
  const Options& options = suite.options;
  const std::string prefix = "Latency/" + std::string(mode.name) + "/";
  const auto add_ping = [&](const std::string& variant, auto call) {
    RegisterCallRow<Client>(
        suite, prefix + variant, mode,
        {.warmup_calls = options.warmup_requests + 1, .ledger_in_default = true}, options.requests,
        call, kIsPong);
  };
  add_ping("ping", [](Client& client) { return client.Ping(); });
  if constexpr (std::is_same_v<Client, RpycClient>) {
    add_ping("ping_bound", [](Client& client) { return client.PingBound(); });
    add_ping("ping_callattr", [](Client& client) { return client.PingCallAttr(); });
    const service::Chunks list{service::Payload::Of(options.payload, kListBytes), kListBytes};
    RegisterCallRow<Client>(
        suite, prefix + "echo_reference/" + std::to_string(kListBytes), mode,
        {.warmup_calls = options.warmup_requests + 1, .ledger_in_default = true}, options.requests,
        [list](Client& client) { return client.EchoReference(list); },
        [](bool same) { return same; });
  }
  for (const std::uint64_t size : EchoSizes(options, mode)) {
    const auto payload = service::Payload::Of(options.payload, size);
    RegisterCallRow<Client>(
        suite, prefix + "echo/" + std::to_string(size), mode,
        {.warmup_calls = options.warmup_requests + 1,
         .bytes_per_call = size,
         .ledger_in_default = true},
        options.requests, [payload](Client& client) { return client.Echo(payload); },
        [payload](std::string_view reply) { return payload.Matches(reply); });
  }
}

void RegisterLatency(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    RegisterLatencyRows<Client>(suite, mode);
    RegisterProgramRows<Client>(suite, mode);
  });
}

}  // namespace

extern const BenchmarkType kLatencyType{
    {.name = "Latency",
     .timed = "one call on one connection",
     .variants =
         "`ping`, `echo/<bytes>`; `getattr`, `setattr`, `exception`; RPyC and HTTP "
         "`getattr_missing`; RPyC `with`, `ping_bound`, `ping_callattr`, `echo_reference/1024`",
     .has_tail = true,
     .flags = {"--payload_bytes", "--requests", "--warmup_requests"}},
    RegisterLatency};

}  // namespace rpycbench
