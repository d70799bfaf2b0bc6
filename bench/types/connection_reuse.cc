// ConnectionReuse: a ping on a connection that is kept, and one on its own connection, which is
// made, used once and closed. The time of the latter ends when both ends have closed, so that no
// request pays for an earlier one. HTTP's client asks for the close with the request, RPyC's sends
// a close request, the floor's just closes.
#include <memory>
#include <string>

#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

// The sum over all requests of a row.
struct Requests {
  Samples times;
  WireTotals wire;
};

template <class Client>
class ConnectionReuseRow : public ServerFixture {
 public:
  ConnectionReuseRow(const Suite& suite, const ServerMode& mode, bool kept)
      : ServerFixture(
            suite,
            "ConnectionReuse/" + std::string(mode.name) + (kept ? "/kept" : "/one_a_request"), mode,
            Placement::kShared),
        kept_(kept) {}

 protected:
  void Measure(benchmark::State& state) override {
    Requests requests{.times = Samples(options().keeps_starts()), .wire = {}};
    requests.times.Reset(static_cast<std::size_t>(state.max_iterations));
    kept_ ? PingOnOneConnection(state, requests) : PingOnOneEach(state, requests);
    state.counters[counter::kConnections] = static_cast<double>(requests.wire.connections) /
                                            static_cast<double>(requests.times.count());
    meter().TakeSamples(requests.times, Tail::kP50);
    if (!kept_) requests.wire.connections = 0;  // because the row is about them
    ReportCalls(state, requests.times, requests.wire);
  }

  std::size_t connections_for_slots() const override { return 1; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override {
    if (kept_) return std::make_unique<KeptSlots>(*this);
    return std::make_unique<OwnSlots>(*this);
  }

 private:
  using Clock = Samples::Clock;

  class KeptSlots : public SlotRunner {
   public:
    explicit KeptSlots(const ConnectionReuseRow& row)
        : client_(MakeClient<Client>(row.server(), row.options(), row.mode())) {}
    SlotResult Run(const SlotLength& length, Samples& times) override {
      return MakeCalls(length, times, [this] {
        const auto start = Clock::now();
        Ping(client_);
        return Samples::Call{start, Clock::now() - start};
      });
    }
    WireTotals Wire() const override { return WireTotals::Of(client_); }
    void Close() override { client_.Close(); }

   private:
    Client client_;
  };

  class OwnSlots : public SlotRunner {
   public:
    explicit OwnSlots(const ConnectionReuseRow& row) : row_(row), server_(row.server()) {}
    SlotResult Run(const SlotLength& length, Samples& times) override {
      const SlotResult result =
          MakeCalls(length, times, [this] { return row_.PingOnOwn(server_, requests_); });
      requests_.times.Clear();
      return result;
    }
    WireTotals Wire() const override {
      WireTotals wire = requests_.wire;
      wire.connections = 0;
      return wire;
    }
    void Close() override {}

   private:
    const ConnectionReuseRow& row_;
    net::Endpoint server_;
    Requests requests_;
  };

  void PingOnOneConnection(benchmark::State& state, Requests& requests) {
    auto client = MakeClient<Client>(server(), options(), mode());
    for (std::int64_t i = 0; i <= options().warmup_requests; ++i) Ping(client);
    const WireTotals wire = WireTotals::Of(client);
    meter().Start();
    for (auto _ : state) {
      const auto start = Clock::now();
      Ping(client);
      requests.times.Add({start, Clock::now() - start});
    }
    meter().Stop();
    requests.wire = WireTotals::Of(client) - wire;
    client.Close();
  }

  void PingOnOneEach(benchmark::State& state, Requests& requests) {
    Requests warmup;
    for (std::int64_t i = 0; i <= options().warmup_requests; ++i) PingOnOwn(server(), warmup);
    meter().Start();
    for (auto _ : state) PingOnOwn(server(), requests);
    meter().Stop();
  }

  Samples::Call PingOnOwn(const net::Endpoint& server, Requests& requests) const {
    const auto start = Clock::now();
    auto client = MakeClient<Client>(server, options(), mode(), {.connection_a_request = true});
    Ping(client);
    client.Close();
    const Clock::duration time = Clock::now() - start;
    requests.times.Add({start, time});
    requests.wire += WireTotals::Of(client);
    return {start, time};
  }

  static void Ping(Client& client) { rpycbench::Verify(client.Ping() == "pong", "ping"); }

  bool kept_;
};

void RegisterConnectionReuse(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("ConnectionReuse", suite.options.preset, mode)) return;
    for (const bool kept : {true, false}) {
      RegisterRow(suite, std::make_unique<ConnectionReuseRow<Client>>(suite, mode, kept));
    }
  });
}

}  // namespace

extern const BenchmarkType kConnectionReuseType{
    {.name = "ConnectionReuse",
     .timed = "one ping, on a kept connection or on a new one",
     .variants = "`kept`, `one_a_request`",
     .precision = 0.02,
     .counters = {counter::kConnections}},
    RegisterConnectionReuse};

}  // namespace rpycbench
