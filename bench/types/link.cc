// Link: what Latency and others measure on one machine, across a link that delays packets. A call
// takes its local time, and for each exchange that waits for the other host it takes an RTT more.
// The rows are those whose number of exchanges differs between stacks: a method, an attribute, one
// that is missing, ten objects, ten calls in flight, a new connection, and an upload that TCP does
// not send at once.
#include <string>
#include <type_traits>

#include "bench/types/call_row.h"
#include "bench/types/connection_row.h"
#include "bench/types/link_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

constexpr std::uint64_t kObjects = 10;
constexpr std::uint64_t kDepth = 10;

template <class Client>
class LinkRows {
 public:
  LinkRows(const Suite& suite, const ServerMode& mode) : suite_(suite), mode_(mode) {}

  void Register() {
    Add(
        "ping", [](Client& client) { return client.Ping(); }, kIsPong);
    if constexpr (kIsRpyc)
      Add(
          "ping_bound", [](Client& client) { return client.PingBound(); }, kIsPong);
    Add(
        "getattr", [](Client& client) { return client.GetValue(); },
        [](std::int64_t value) { return value == service::kValue; });
    if constexpr (requires(Client & client) { client.LacksAttribute(); }) {
      Add(
          "getattr_missing", [](Client& client) { return client.LacksAttribute(); },
          [](bool right) { return right; });
    }
    RegisterObjects();
    RegisterPipelined();
    RegisterConnect();
    const auto payload = service::Payload::Of(suite_.options.payload, kLinkUploadBytes);
    Add(
        "upload/" + std::to_string(kLinkUploadBytes),
        [payload](Client& client) { return client.Upload(payload); },
        [](std::uint64_t size) { return size == kLinkUploadBytes; });
  }

 private:
  static constexpr bool kIsRpyc = std::is_same_v<Client, RpycClient>;
  static constexpr auto kIsPong = [](std::string_view reply) { return reply == "pong"; };

  void AddRow(const std::string& variant, MakeLinkedRow make) const {
    RegisterLinkRows(
        suite_, mode_,
        {.name = "Link/" + std::string(mode_.name) + '/' + variant, .make = std::move(make)},
        LinkRtts(suite_.options, mode_));
  }
  template <class Caller = Client, class Call, class Check>
  void Add(const std::string& variant, Call call, Check check,
           const CallRowSettings& settings = {}) const {
    AddRow(variant, [=, mode = mode_](const Suite& suite, const std::string& name, Rtt rtt) {
      CallRowSettings linked = settings;
      linked.rtt = rtt;
      return std::make_unique<CallRow<Caller, Call, Check>>(suite, name, mode, linked, call, check);
    });
  }
  void RegisterObjects() const {
    const auto add = [this](const std::string& way, auto call) {
      this->Add(way + '/' + std::to_string(kObjects), call,
                [](std::uint64_t right) { return right == kObjects; });
    };
    if constexpr (kIsRpyc) {
      add("attribute_each", [](Client& client) { return client.ItemsOneByOne(kObjects); });
      add("buffiter", [](Client& client) { return client.ItemsBuffered(kObjects); });
      add("obtain", [](Client& client) { return client.ItemsObtained(kObjects); });
      add("by_value", [](Client& client) { return client.ItemsByValue(kObjects); });
    } else {
      add("one_by_one", [](Client& client) { return client.ItemsOneByOne(kObjects); });
      add("batch", [](Client& client) { return client.ItemsAtOnce(kObjects); });
    }
  }
  void RegisterPipelined() const {
    using Caller = std::conditional_t<kIsRpyc, Client, ConnectionsAtOnce<Client>>;
    CallRowSettings settings{.connections = kIsRpyc ? 1 : kDepth};
    Add<Caller>(
        "pipelined/" + std::to_string(kDepth),
        [](Caller& caller) { return caller.PingsAtOnce(kDepth); },
        [](std::uint64_t right) { return right == kDepth; }, settings);
  }
  void RegisterConnect() const {
    AddRow("connect", [mode = mode_](const Suite& suite, const std::string& name, Rtt rtt) {
      return std::make_unique<ConnectionRow<Client>>(
          suite, name, mode, ConnectionRowSettings{.opening = Opening::kPython, .rtt = rtt});
    });
  }

  const Suite& suite_;
  const ServerMode& mode_;
};

void RegisterLink(const Suite& suite) {
  if (!suite.possible.links) return;
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    LinkRows<Client>(suite, mode).Register();
  });
}

}  // namespace

extern const BenchmarkType kLinkType{
    {.name = "Link",
     .timed = "one call across a link that delays packets",
     .variants =
         "`ping`, `getattr`, `getattr_missing`, `pipelined/10`, `connect`, `upload/200000`; "
         "RPyC `ping_bound`, `attribute_each/10`, `buffiter/10`, `obtain/10`, "
         "`by_value/10`; HTTP and the floor `one_by_one/10`, `batch/10`; then `rtt_us:<r>`",
     .primary = {"exchanges", counter::kExchanges},
     .has_floor = false,
     .has_calls = false,
     .counters = {counter::kExchanges, counter::kExchangesLow, counter::kExchangesHigh,
                  counter::kLocal},
     .flags = {"--rtt", "--link_rate"}},
    RegisterLink};

}  // namespace rpycbench
