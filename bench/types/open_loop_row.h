// What the rows of an open loop share: their connections, the placement of their thread, the
// server's maximum rate, and the counters of a window.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/arrivals.h"
#include "bench/load/open_loop_clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

// Returns split, so that the thread that watches the clock takes no CPU from the server. Returns
// shared where there is only one CPU.
Placement OpenLoopPlacement();

// Throws std::runtime_error if no call of the window had an answer, because nothing can be said
// about the server's times then.
void CheckAnswered(const OpenLoopWindow& window);

// Sets a window's counters other than the percentiles of response times and the requested rate.
void SetOpenLoopCounters(benchmark::State& state, OpenLoopWindow& window);

// Returns how many calls a window of about `seconds` has at a rate. That is at least 300, because a
// 99th percentile of fewer is in doubt, as long as they take at most 2 s. It is never 0.
std::size_t CallsIn(double seconds, double per_second);

// Calls per second at saturation, by mode. The first row that asks measures the rate for all rows
// of a run.
class SaturationRates {
 public:
  template <class Clients>
  double Of(std::string_view mode, Clients& clients) {
    const auto found = rates_.find(mode);
    if (found != rates_.end()) return found->second;
    const double rate = clients.Saturate(std::chrono::milliseconds(100));
    return rates_.emplace(mode, rate).first->second;
  }

 private:
  std::map<std::string, double, std::less<>> rates_;
};

// A row whose calls are pings to one mode's server over a number of connections.
template <class Client>
class OpenLoopFixture : public ServerFixture {
 public:
  using Clock = Samples::Clock;

  OpenLoopFixture(const Suite& suite, const std::string& name, const ServerMode& mode,
                  std::size_t connections, std::vector<std::string> server_flags = {})
      : ServerFixture(suite, name, mode, OpenLoopPlacement(), std::move(server_flags),
                      Timing::kManual),
        connections_(connections) {}

 protected:
  static void Ping(Client& client) { Verify(client.Ping() == "pong", "ping"); }
  using Clients = OpenLoopClients<Client, void (*)(Client&)>;

  // Returns connected clients that have made a first call each.
  std::unique_ptr<Clients> Connect() {
    meter().BeforeConnecting(connections_);
    auto clients = std::make_unique<Clients>(server(), options(), mode(), connections_,
                                             placement() == Placement::kShared, ping_);
    clients->Connect();
    meter().AllConnected(clients->connected());
    return clients;
  }

  // Makes `count` calls from now on, spread as --arrivals says. Gives up those that have not begun
  // `overtime` after the last is due. Throws std::runtime_error if none was answered or the server
  // has ended.
  OpenLoopWindow RunWindow(Clients& clients, double per_second, std::size_t count,
                           std::uint64_t seed, Clock::duration overtime) {
    const auto schedule = Schedule(options().arrivals, per_second, count, seed);
    clients.Connect();  // those whose last call had no answer
    meter().Start();
    OpenLoopWindow window =
        clients.Run(schedule, Clock::now() + std::chrono::microseconds(200), overtime);
    meter().Stop();
    // A server that has died refuses connections, too.
    if (window.refused > 0) CheckServerRuns();
    CheckAnswered(window);
    return window;
  }

  // Reports the window that the row is about, once it has been measured.
  void Report(benchmark::State& state, OpenLoopWindow& window, double per_second) {
    ReportCalls(state, window.responses, window.wire);
    SetOpenLoopCounters(state, window);
    state.counters[counter::kRate] = per_second;
  }

  // Passes the evidence of a window to the meter, before anything sorts it, and returns the meter.
  // The thread that watches the clock is always busy, so its lateness shows whether it kept up.
  RowMeter Metered(OpenLoopWindow& window) {
    // Queues come and go, so medians that lie apart do not mean that the machine drifted.
    meter().TakeSamples(window.responses, Tail::kP99, RowMeter::Order::kOther);
    const auto late = window.lateness.PercentileUs(99);
    const auto p99 = window.responses.PercentileUs(99);
    if (late && p99) meter().evidence().late_share = *late / *p99;
    meter().evidence().unanswered_share = window.UnansweredShare();
    return meter();
  }

  std::string Conditions() const override {
    return "arrivals=" + std::string(ToString(options().arrivals)) +
           " connections=" + std::to_string(connections_);
  }

  std::size_t connections() const { return connections_; }

 private:
  std::size_t connections_;
  void (*ping_)(Client&) = Ping;
};

}  // namespace rpycbench
