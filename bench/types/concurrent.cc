// Concurrent: N clients, each a thread of this process, connect at the same moment and wait until
// all have had a first reply. Then they make their requests at the same moment. The row's time is
// that of all requests, from the release to the last reply. Connecting under load has counters of
// its own. The variant event_driven has all clients on one thread, for more clients than a process
// can have threads.
#include <memory>
#include <string>
#include <vector>

#include "bench/load/client_coroutines.h"
#include "bench/load/client_slots.h"
#include "bench/load/client_threads.h"
#include "bench/load/per_client_file.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"
#include "servers/net/descriptor_limit.h"

namespace rpycbench {
namespace {

template <template <class, class> class Clients, class Source, class Call>
class ConcurrentRow : public ServerFixture {
 public:
  ConcurrentRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                std::size_t clients, Call call)
      : ServerFixture(suite, name, mode, Placement::kFree),
        clients_(clients),
        call_(call),
        per_client_(options().per_client_file, name) {}

 protected:
  void Measure(benchmark::State& state) override {
    const ClientLoad load{server(), options(), mode(), clients_, options().requests_per_client,
                          meter()};
    ClientTotals totals(options().keeps_starts());
    per_client_.NextRun();
    for (auto _ : state) {
      MeasureClients<Clients, Source>(
          state, load, call_, totals,
          [&](std::vector<ClientResult>& results) { per_client_.Append(results); });
    }
    TakeTotals(meter(), totals, Tail::kP99, Clients<Source, Call>::ThreadsFor(clients_));
    Report(state, totals);
  }

  std::size_t connections_for_slots() const override { return clients_; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override {
    return std::make_unique<ClientSlots<Clients, Source, Call>>(
        server(), options(), mode(), clients_, call_, PlanCpus(placement()).client);
  }

  std::string Conditions() const override {
    return "requests_per_client=" + std::to_string(options().requests_per_client);
  }

 private:
  void Report(benchmark::State& state, ClientTotals& totals) {
    ReportCalls(state, totals.latencies, totals.wire);
    ReportRate(state, totals.spent);
    state.counters[counter::kSlowestClient] = totals.slowest;
    state.counters[counter::kFastestClient] = totals.fastest;
    if (totals.connects.count() > 0) {
      state.counters[counter::kConnectP50] = *totals.connects.PercentileUs(50);
      state.counters[counter::kConnectMax] = totals.connects.MaxUs();
    }
  }

  std::size_t clients_;
  Call call_;
  PerClientFile per_client_;
};

template <template <class, class> class Clients, class Source, class Call>
void RegisterVariant(const Suite& suite, const ServerMode& mode, const std::string& variant,
                     const std::vector<std::int64_t>& client_counts, Call call) {
  for (const std::int64_t clients : client_counts) {
    auto row = std::make_unique<ConcurrentRow<Clients, Source, Call>>(
        suite,
        "Concurrent/" + std::string(mode.name) + variant + "/clients:" + std::to_string(clients),
        mode, static_cast<std::size_t>(clients), call);
    if (suite.options.preset == Preset::kClassic) row->Iterations(1);
    RegisterRow(suite, std::move(row));
  }
}

void RegisterConcurrent(const Suite& suite) {
  net::RaiseDescriptorLimit();  // the servers inherit the limit
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    const auto ping = [](Client& client) { Verify(client.Ping() == "pong", "ping"); };
    const auto counts = ClientCounts(suite.options, mode);
    RegisterVariant<ClientThreads, OwnConnections<Client>>(suite, mode, "", counts, ping);
    RegisterVariant<ClientCoroutines, OwnConnections<Client>>(
        suite, mode, "/event_driven", EventDrivenClientCounts(suite.options, mode), ping);
    if (suite.options.preset == Preset::kQuick) return;
    if constexpr (std::is_same_v<Client, RpycClient>) {
      RegisterVariant<ClientThreads, OwnConnections<Client>>(
          suite, mode, "/ping_callattr", counts,
          [](Client& client) { Verify(client.PingCallAttr() == "pong", "ping"); });
    }
    if constexpr (std::is_same_v<Client, HttpClient>) {
      // Where each connection ends with an answer, there is nothing to share.
      if (mode.traits.keeps_connections) {
        RegisterVariant<ClientThreads, PooledConnections<Client>>(suite, mode, "/pool:10", counts,
                                                                  ping);
      }
    }
  });
}

}  // namespace

extern const BenchmarkType kConcurrentType{
    {.name = "Concurrent",
     .timed = "N clients × 100 requests, released together",
     .variants = "`clients:<n>`; RPyC `ping_callattr/`, HTTP `pool:10/`; `event_driven/` (`full`, "
                 "two rows in `default`)",
     .primary = kCallRate,
     .is_rate = true,
     .precision = 0.03,
     .has_tail = true,
     .counters = {counter::kConnectP50, counter::kConnectMax, counter::kSlowestClient,
                  counter::kFastestClient},
     .flags = {"--clients", "--requests_per_client", "--per_client_file"}},
    RegisterConcurrent};

}  // namespace rpycbench
