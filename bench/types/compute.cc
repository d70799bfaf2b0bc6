// Compute: N clients, each with its own connection and thread, have the server add up squares at
// the same time. The session does the work, so the row shows how well a concurrency model uses
// several CPUs. An interpreter's lock lets one session work at a time. A process or a native thread
// per session uses all available CPUs, and an event loop only its own.
#include <memory>
#include <string>
#include <type_traits>

#include "bench/load/client_slots.h"
#include "bench/load/client_threads.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

// The same for all modes. Native code needs several times as long for these additions as for the
// call around them. Python needs more than a hundred times as long, and a few calls still end
// within a second.
constexpr std::int64_t kN = 400'000;
// Few, because eight clients of a server in Python wait for each other.
constexpr std::int64_t kRequestsPerClient = 10;

// Σ i² for 0 ≤ i < n in closed form; the servers have to add.
constexpr std::int64_t SumOfSquares(std::int64_t n) { return (n - 1) * n * (2 * n - 1) / 6; }
static_assert(SumOfSquares(4) == 0 + 1 + 4 + 9);

template <class Client>
class ComputeRow : public ServerFixture {
 public:
  ComputeRow(const Suite& suite, const std::string& name, const ServerMode& mode,
             std::size_t clients)
      : ServerFixture(suite, name, mode, Placement::kFree), clients_(clients) {}

 protected:
  void Measure(benchmark::State& state) override {
    const ClientLoad load{server(), options(), mode(), clients_, kRequestsPerClient, meter()};
    ClientTotals totals(options().keeps_starts());
    for (auto _ : state) {
      MeasureClients<ClientThreads, OwnConnections<Client>>(state, load, kCompute, totals,
                                                            [](const auto&) {});
    }
    TakeTotals(meter(), totals, Tail::kP50, clients_);
    ReportCalls(state, totals.latencies, totals.wire);
    ReportRate(state, totals.spent);
    state.counters[counter::kCallsPerClient] =
        state.counters[counter::kItemsPerSecond] / static_cast<double>(clients_);
    state.counters[counter::kSlowestClient] = totals.slowest;
    state.counters[counter::kFastestClient] = totals.fastest;
  }

  std::string Conditions() const override {
    return "compute_n=" + std::to_string(kN) +
           " requests_per_client=" + std::to_string(kRequestsPerClient);
  }

  std::size_t connections_for_slots() const override { return clients_; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override {
    return std::make_unique<ClientSlots<ClientThreads, OwnConnections<Client>,
                                        std::remove_const_t<decltype(kCompute)>>>(
        server(), options(), mode(), clients_, kCompute, PlanCpus(placement()).client);
  }

 private:
  static constexpr auto kCompute = [](Client& client) {
    Verify(client.Compute(kN) == SumOfSquares(kN), "compute");
  };

  std::size_t clients_;
};

void RegisterCompute(const Suite& suite) {
  if (suite.options.preset == Preset::kClassic) return;  // its counts are those of other types
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    for (const std::int64_t clients : ComputeClientCounts(suite.options, mode)) {
      RegisterRow(
          suite,
          std::make_unique<ComputeRow<Client>>(
              suite, "Compute/" + std::string(mode.name) + "/clients:" + std::to_string(clients),
              mode, static_cast<std::size_t>(clients)));
    }
  });
}

}  // namespace

extern const BenchmarkType kComputeType{
    {.name = "Compute",
     .timed = "N clients × 10 calls of `compute(400000)`, released together",
     .variants = "`clients:<n>`",
     .primary = kCallRate,
     .is_rate = true,
     .precision = 0.03,
     .counters = {counter::kSlowestClient, counter::kFastestClient, counter::kCallsPerClient},
     .flags = {"--clients"}},
    RegisterCompute};

}  // namespace rpycbench
