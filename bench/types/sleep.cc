// Sleep: n clients call an operation at the same moment that waits 100 ms, as one that reads a file
// or asks a database does, and the row times them until the last answer. Only the concurrency model
// decides how many of them wait at once.
#include <memory>
#include <string>

#include "bench/load/client_coroutines.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/clients/clients.h"
#include "fixtures/server_fixture.h"
#include "servers/net/descriptor_limit.h"

namespace rpycbench {
namespace {

constexpr double kSeconds = 0.1;

template <class Client>
class SleepRow : public ServerFixture {
 public:
  SleepRow(const Suite& suite, const ServerMode& mode, std::size_t clients)
      : ServerFixture(suite,
                      "Sleep/" + std::string(mode.name) + "/clients:" + std::to_string(clients),
                      mode, Placement::kFree),
        clients_(clients) {}

 protected:
  void Measure(benchmark::State& state) override {
    CheckDescriptorsFor(clients_);
    bool connected = false;
    const auto call = [&connected](Client& client) {
      connected ? Verify(client.Sleep(kSeconds) == kSeconds, "sleep")
                : Verify(client.Ping() == "pong", "ping");
    };
    meter().BeforeConnecting(clients_);
    OwnConnections<Client> source(server(), options(), mode(), clients_, call);
    ClientCoroutines<OwnConnections<Client>, decltype(call)> clients(clients_, 1, source, call,
                                                                     meter().plan().client);
    clients.Connect();
    CheckAllSucceeded(clients.results());
    meter().AllConnected(source.size());
    connected = true;
    Samples rounds(options().keeps_starts());
    const WireTotals before = source.Wire();
    const auto round = [&] {
      for (ClientResult& result : clients.results()) result.latencies.Clear();
      clients.MakeRequests();
      CheckAllSucceeded(clients.results());
      rounds.Add(
          {.start = FirstBegin(clients.results()), .time = FromFirstToLast(clients.results())});
    };
    meter().Start();
    for (auto _ : state) round();
    Complete(rounds, Tail::kP50, round);
    meter().Stop();
    meter().TakeSamples(rounds, Tail::kP50);
    ReportCalls(state, rounds, source.Wire() - before);
    clients.CloseAll();
  }

 private:
  std::size_t clients_;
};

void RegisterSleep(const Suite& suite) {
  net::RaiseDescriptorLimit();  // the servers inherit the limit
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    for (const std::int64_t clients : SleepClientCounts(suite.options, mode)) {
      RegisterRow(suite, std::make_unique<SleepRow<Client>>(suite, mode,
                                                            static_cast<std::size_t>(clients)));
    }
  });
}

}  // namespace

extern const BenchmarkType kSleepType{
    {.name = "Sleep",
     .timed = "n clients call an operation that waits 100 ms, until the last answer",
     .variants = "`clients:<n>`",
     .has_floor = false,
     .has_calls = false,
     .flags = {"--clients"}},
    RegisterSleep};

}  // namespace rpycbench
