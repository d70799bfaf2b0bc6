// Checks the suite against a known delay. A server whose `ping` takes times of a known distribution
// (its flag --delay) must yield exactly these times, on top of what a call takes after such a
// pause. The probe (fixtures/pairs/probe.h), which has no code of servers and clients, finds out
// how much the pause itself adds. One client uses one connection. A window is a whole number of the
// distribution's cycles, and calls that lost CPU time are replaced, so little is left to chance.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bench/calibration/undisturbed_calls.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/lost_cpu_time.h"
#include "fixtures/meter/proc.h"
#include "fixtures/pairs/probe.h"
#include "fixtures/process/server_commands.h"
#include "fixtures/process/server_pool.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

struct KnownDelay {
  std::string_view name;
  std::string_view kind;          // the kind of delay
  std::string_view distribution;  // in the syntax of service::DelayDistribution
  std::size_t calls;              // calls in a window; whole cycles of the distribution

  std::string ServerFlag() const {
    return "--delay=" + std::string(kind) + ":" + std::string(distribution);
  }
};

// The times are long, so that what the machine adds stays small against them.
inline constexpr std::array kKnownDelays{
    KnownDelay{"spin_uniform", "spin", "uniform:3000:9000", 200},
    KnownDelay{"spin_bimodal", "spin", "bimodal:4000:16000:10", 200},
    KnownDelay{"sleep_constant", "sleep", "constant:10000", 200}};

// A statistic may miss its true value by this share of it, plus the resolution of the clock.
inline constexpr double kTolerance = 0.01;

// One statistic of a window: what it should be and what was measured. All values are in µs.
struct Statistic {
  std::string_view name;
  double expected = 0;
  double measured = 0;
  double allowed = 0;  // the largest difference that passes

  bool Holds() const;
};

struct Calibration {
  std::vector<Statistic> statistics;  // mean, p50, p95, p99; none if no window ended in time
  double floor_p50_us = 0;            // the median of the same call without delay
  double after_pause_us = 0;  // the same after such a pause: floor_p50_us and what the probe found
  std::size_t windows = 0;    // windows measured; more than one if calls were disturbed
  std::size_t disturbed = 0;  // calls that lost CPU time in each window
  Samples samples;            // one of each call, undisturbed if there is one

  // Returns an empty string if all statistics hold, otherwise those that do not, with both values.
  // Says so if there are none.
  std::string Misses() const;
};

// Returns the statistics of `measured` next to their true values: those of the delay, and what a
// call takes after such a pause, in µs.
std::vector<Statistic> Compare(const KnownDelay& delay, double after_pause_us, Samples& measured);

// Returns the pauses of a cycle of the delay, for the probe.
std::vector<Probe::Pause> PausesOf(const KnownDelay& delay);

// Returns the time of a ping.
template <class Client>
std::chrono::nanoseconds TimePing(Client& client) {
  const auto start = Samples::Clock::now();
  const auto reply = client.Ping();
  const auto time = Samples::Clock::now() - start;
  Verify(reply == "pong", "ping");
  return time;
}

template <class Client>
Samples TimePings(Client& client, std::size_t calls) {
  Samples samples;
  samples.Reset(calls);
  for (std::size_t i = 0; i < calls; ++i) samples.Add(TimePing(client));
  return samples;
}

// Measures a window, and more for up to 8 s in all as long as calls need replacement. The caller
// has pinned its thread. Calls with and without delay and those of the probe alternate, so that all
// come from the same moments. Throws what clients throw, ServerError, and std::runtime_error.
template <class Client>
Calibration MeasureKnownDelay(ServerPool& pool, const Options& options, const ServerMode& mode,
                              Placement placement, const KnownDelay& delay) {
  constexpr std::size_t kWarmupCalls = 20;
  constexpr std::size_t kCallsPerProbe = 4;
  constexpr std::chrono::seconds kMostTime{8};
  const auto connect = [&](const std::shared_ptr<ServerProcess>& server) {
    auto client = MakeUniqueClient<Client>(server->endpoint(), options, mode);
    TimePings(*client, kWarmupCalls);
    return client;
  };
  const auto plain = connect(pool.Acquire(WithInjection(options, {mode, placement})));
  const auto server = pool.Acquire(WithInjection(options, {mode, placement, {delay.ServerFlag()}}));
  const auto client = connect(server);
  Probe probe(placement);
  const std::vector<Probe::Pause> pauses = PausesOf(delay);
  LostCpuTime lost(server->visible() ? proc::TreeOf(server->pid()) : std::vector<pid_t>{});
  LostCpuTime lost_by_probe({probe.server_pid()});
  UndisturbedCalls calls(delay.calls);
  UndisturbedCalls after_pause(delay.calls / kCallsPerProbe);
  Samples floor;
  Samples without_pause;
  Calibration result;
  const auto end = Samples::Clock::now() + kMostTime;
  const auto in_time = [&] { return Samples::Clock::now() < end; };
  do {
    const auto needed = [&] { return result.windows == 0 || calls.Disturbed() > 0; };
    for (std::size_t i = 0; i < delay.calls && needed() && in_time(); ++i) {
      if (i % kCallsPerProbe == 0) {
        without_pause.Add(probe.Ping({}));
        lost_by_probe.Take();
        const auto time = probe.Ping(pauses[i % pauses.size()]);
        after_pause.Add(time, lost_by_probe.Take());
      }
      floor.Add(TimePing(*plain));
      lost.Take();
      const auto time = TimePing(*client);
      calls.Add(time, lost.Take());
    }
    ++result.windows;
    result.disturbed = calls.Disturbed();
    // Where most calls are disturbed, more windows help little.
  } while (result.disturbed > 0 && result.disturbed <= delay.calls / 2 && in_time());
  client->Close();
  plain->Close();
  result.samples = calls.OneOfEachPlace();
  if (result.samples.count() < delay.calls) return result;
  // Medians, because not every call suffers the outliers.
  result.floor_p50_us = *floor.PercentileUs(50);
  result.after_pause_us =
      result.floor_p50_us + *after_pause.All().PercentileUs(50) - *without_pause.PercentileUs(50);
  result.statistics = Compare(delay, result.after_pause_us, result.samples);
  return result;
}

}  // namespace rpycbench
