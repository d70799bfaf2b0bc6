// Isolation: one session is made to crash while others are served, to find out whether they notice.
// The row's time is the outage. It begins when the crash is sent and ends when every other client
// has had a reply to a later call. A client that lost its connection reconnects; a server that
// exited is restarted. Both are part of the outage.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/bystanders.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

constexpr std::size_t kBystanders = 4;

// The sum over all crashes of a row.
struct Crashes {
  Samples outages;
  Samples gaps = {};  // the longest gap of any bystander, for each crash
  Samples calm = {};
  std::size_t lost = 0;
  std::size_t restarts = 0;

  // Adds one crash that was sent at `sent`.
  void Add(Samples::Clock::time_point sent, const std::vector<BystanderResult>& bystanders) {
    auto recovered_at = sent;
    Samples::Clock::duration longest_gap{};
    for (const BystanderResult& bystander : bystanders) {
      recovered_at = std::max(recovered_at, bystander.recovered_at);
      longest_gap = std::max(longest_gap, bystander.longest_gap);
      calm.Append(bystander.calm);
      if (bystander.lost) ++lost;
    }
    outages.Add({sent, recovered_at - sent});
    gaps.Add(longest_gap);
  }
};

template <class Client>
class IsolationRow : public ServerFixture {
 public:
  IsolationRow(const Suite& suite, const ServerMode& mode)
      : ServerFixture(suite, "Isolation/" + std::string(mode.name), mode, Placement::kFree,
                      {"--allow_crash"}) {}

 protected:
  void Measure(benchmark::State& state) override {
    Connections connections;
    for (std::size_t i = 0; i < kBystanders; ++i) connections.push_back(Connect(server()));
    Crashes crashes{.outages = Samples(options().keeps_starts())};
    for (auto _ : state) {
      state.PauseTiming();
      MeasureCrash(
          connections, crashes, [&] { state.ResumeTiming(); }, [&] { state.PauseTiming(); });
      state.ResumeTiming();
    }
    Complete(crashes.outages, Tail::kP50, [&] {
      MeasureCrash(
          connections, crashes, [] {}, [] {});
    });
    for (auto& connection : connections) connection->Close();
    meter().TakeSamples(crashes.outages, Tail::kP50);
    Report(state, crashes);
  }

  std::string Conditions() const override { return "bystanders=" + std::to_string(kBystanders); }

 private:
  using Connections = typename Bystanders<Client>::Connections;
  using Clock = Samples::Clock;

  std::unique_ptr<Client> Connect(const net::Endpoint& endpoint) const {
    auto client = MakeUniqueClient<Client>(endpoint, options(), mode());
    Verify(client->Ping() == "pong", "the first ping");
    return client;
  }

  // Makes a session crash. `resume` and `pause` start and stop the framework's clock.
  template <class Resume, class Pause>
  void MeasureCrash(Connections& connections, Crashes& crashes, Resume resume, Pause pause) {
    const auto victim = Connect(server());
    Bystanders<Client> bystanders(
        connections, server(), [this](const net::Endpoint& endpoint) { return Connect(endpoint); },
        options().call_timeout);
    bystanders.AwaitCalm();
    std::size_t restarts = 0;
    resume();
    const auto sent = Clock::now();
    bystanders.CrashBegins(sent);
    victim->Crash();
    bystanders.CrashEnded(Clock::now());
    bystanders.AwaitRecovery([&] {
      if (++restarts > 1) throw std::runtime_error("the server died again without a crash");
      RestartServer();
      return server();
    });
    pause();
    if (restarts > 0) MeterRestarted();
    crashes.Add(sent, bystanders.results());
    crashes.restarts += restarts;
  }

  void Report(benchmark::State& state, Crashes& crashes) {
    const auto per_crash = [&](std::size_t total) {
      return static_cast<double>(total) / static_cast<double>(crashes.outages.count());
    };
    KeepDistribution(crashes.outages);
    SetLatencyCounters(state.counters, crashes.outages);
    state.counters[counter::kBystandersLost] = per_crash(crashes.lost);
    state.counters[counter::kServerRestarts] = per_crash(crashes.restarts);
    state.counters[counter::kLongestGap] = *crashes.gaps.PercentileUs(50);
    state.counters[counter::kBystanderP50] = *crashes.calm.PercentileUs(50);
  }
};

void RegisterIsolation(const Suite& suite) {
  if (suite.options.preset == Preset::kClassic) return;  // its counts are those of other types
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (mode.traits.connections_at_once <= kBystanders) return;  // the victim needs one, too
    RegisterRow(suite, std::make_unique<IsolationRow<Client>>(suite, mode));
  });
}

}  // namespace

extern const BenchmarkType kIsolationType{
    {.name = "Isolation",
     .timed = "from the crash of one session until every other client has had an answer again",
     .variants = "none",
     .primary = {"lost", counter::kBystandersLost},
     .has_floor = false,
     .has_calls = false,
     .has_cpu = false,
     .counters = {counter::kBystandersLost, counter::kServerRestarts, counter::kLongestGap,
                  counter::kBystanderP50}},
    RegisterIsolation};

}  // namespace rpycbench
