// Connection: the time until a new connection has answered its first call. A connect alone says
// little, because the kernel's backlog answers it before a thread is started or a process forked.
// Connections are made one after the other, held open, and closed outside of the clock.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/call_costs/call_mark.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

// What a new connection does before it counts as usable.
enum class Opening {
  kShortest,  // the fewest round trips that end in a verified ping
  kPython,    // RPyC: GETROOT, INSPECT, GETATTR, CALL, as a Python program's first call
};

// Makes the protocol's own opening after TCP's, which only RPyC has.
template <class Client>
void Handshake(Client&, Opening) {}
void Handshake(RpycClient& client, Opening opening) {
  client.Root();
  if (opening == Opening::kPython) client.InspectRoot();
}

template <class Client>
std::string_view FirstCall(Client& client, Opening) {
  return client.Ping();
}
std::string_view FirstCall(RpycClient& client, Opening opening) {
  return opening == Opening::kPython ? client.Ping() : client.PingCallAttr();
}

// More connections open at once would exhaust descriptors before they show anything new. More than
// a mode serves at once would wait for ever.
constexpr std::size_t kHeld = 100;

template <class Client>
class ConnectionRow : public ServerFixture {
 public:
  ConnectionRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                Opening opening)
      : ServerFixture(suite, name, mode, Placement::kShared), opening_(opening) {}

 protected:
  void Measure(benchmark::State& state) override {
    Phases phases;
    phases.Reset(static_cast<std::size_t>(state.max_iterations));
    std::vector<std::unique_ptr<Slot>> slots(std::min(kHeld, mode().traits.connections_at_once));
    for (auto& slot : slots) slot = std::make_unique<Slot>();
    WireTotals totals;
    std::size_t held = 0;
    const auto close_all = [&] {
      for (std::size_t i = 0; i < held; ++i) {
        totals += WireTotals::Of(**slots[i]);
        (*slots[i])->Close();
        slots[i]->reset();
      }
      held = 0;
    };
    meter().BeforeConnecting(slots.size());
    meter().Start();
    const auto open = [&] {
      Open(*slots[held], phases);
      ++held;
    };
    for (auto _ : state) {
      if (held == slots.size()) {
        state.PauseTiming();
        close_all();
        state.ResumeTiming();
      }
      open();
    }
    Complete(phases.total, Tail::kP99, [&] {
      if (held == slots.size()) close_all();
      open();
    });
    meter().Stop();
    meter().AllConnected(held);
    close_all();
    meter().TakeSamples(phases.total, Tail::kP99);
    totals.connections = 0;  // because the row is about each of them
    ReportCalls(state, phases.total, totals);
    SetMedian(state, counter::kTcpConnect, phases.connect);
    SetMedian(state, counter::kFirstCall, phases.first_call);
    if (mode().protocol == Protocol::kRpyc) {
      SetMedian(state, counter::kHandshake, phases.handshake);
    }
  }

  LedgerUse ledger_use() const override {
    return {.calls = 10, .in_full = !mode().software.is_python()};
  }

  // Here each connection is closed before the next, and its end is counted as well.
  void MakeCalls(const net::Endpoint& server, std::int64_t calls) override {
    const auto connect = [&] {
      auto client = MakeUniqueClient<Client>(server, options(), mode());
      Handshake(*client, opening_);
      rpycbench::Verify(FirstCall(*client, opening_) == "pong", "the first ping");
      client->Close();
    };
    for (int i = 0; i < 3; ++i) connect();
    MakeMarkedCalls(calls, connect);
  }

 private:
  using Slot = std::optional<Client>;

  struct Phases {
    Samples total, connect, handshake, first_call;

    void Reset(std::size_t count) {
      for (Samples* samples : {&total, &connect, &handshake, &first_call}) samples->Reset(count);
    }
  };

  // Constructs in place, because the clients cannot be moved.
  struct Make {
    const ConnectionRow& row;
    operator Client() const { return MakeClient<Client>(row.server(), row.options(), row.mode()); }
  };

  void Open(Slot& slot, Phases& phases) {
    const auto start = Samples::Clock::now();
    Client& client = slot.emplace(Make{*this});
    const auto connected = Samples::Clock::now();
    Handshake(client, opening_);
    const auto ready = Samples::Clock::now();
    const std::string_view answer = FirstCall(client, opening_);
    const auto end = Samples::Clock::now();
    phases.total.Add(end - start);
    phases.connect.Add(connected - start);
    phases.handshake.Add(ready - connected);
    phases.first_call.Add(end - ready);
    rpycbench::Verify(answer == "pong", "the first ping");
  }

  static void SetMedian(benchmark::State& state, const char* name, Samples& samples) {
    if (const auto median = samples.PercentileUs(50)) state.counters[name] = *median;
  }

  Opening opening_;
};

template <class Client>
void Register(const Suite& suite, const std::string& name, const ServerMode& mode,
              Opening opening) {
  auto row = std::make_unique<ConnectionRow<Client>>(suite, name, mode, opening);
  if (suite.options.preset == Preset::kClassic) row->FixIterations(suite.options.connections);
  compat::RegisterRow(std::move(row));
}

void RegisterConnection(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    const std::string name = "Connection/" + std::string(mode.name);
    Register<Client>(suite, name, mode, Opening::kShortest);
    if constexpr (std::is_same_v<Client, RpycClient>) {
      Register<Client>(suite, name + "/python_opening", mode, Opening::kPython);
    }
  });
}

}  // namespace

extern const BenchmarkType kConnectionType{
    {.name = "Connection",
     .timed = "from connecting to the first verified reply; the close is not timed",
     .variants = "none; RPyC `python_opening`",
     .counters = {counter::kTcpConnect, counter::kHandshake, counter::kFirstCall},
     .flags = {"--connections"}},
    RegisterConnection};

}  // namespace rpycbench
