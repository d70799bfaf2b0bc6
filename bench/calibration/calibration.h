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
#include <optional>
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
  double after_pause_us = 0;          // the same with what the probe needs more after such a pause
  std::size_t windows = 0;            // windows measured; more than one if calls were disturbed
  std::size_t disturbed = 0;          // calls that lost CPU time in each window
  Samples samples;                    // a whole window of calls, undisturbed ones if possible

  // Returns an empty string if all statistics hold, otherwise those that do not, with both values.
  // Says so if there are none.
  std::string Misses() const;
};

// Returns the statistics of `measured` next to their true values. Those are the statistics of the
// delay's times, each with each of the times that a call takes after such a pause. There must be at
// least 100 of the latter.
std::vector<Statistic> Compare(const KnownDelay& delay,
                               const std::vector<std::chrono::nanoseconds>& after_pause,
                               Samples& measured);

// Returns the pauses of a cycle of the delay, for the probe.
std::vector<Probe::Pause> PausesOf(const KnownDelay& delay);

// The probe's pings with and without a pause.
class PausedProbe {
 public:
  explicit PausedProbe(Placement placement)
      : probe_(PlanCpus(placement)), lost_(std::vector<pid_t>{probe_.server_pid()}) {}

  // Pings without and with the pause.
  void Ping(const Probe::Pause& pause);
  // Returns the time of the latest ping with a pause that lost no CPU time, beyond the pause.
  std::chrono::nanoseconds after_pause() const { return *after_pause_; }
  double WithoutPauseP50Us() { return *without_pause_.PercentileUs(50); }

 private:
  Probe probe_;
  LostCpuTime lost_;
  Samples without_pause_;
  std::optional<std::chrono::nanoseconds> least_lost_;  // beyond the sleep
  std::optional<std::chrono::nanoseconds> after_pause_;
};

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
  constexpr std::size_t kCallsPerProbe = 2;
  constexpr std::size_t kWarmupProbes = 5;
  constexpr std::chrono::seconds kMostTime{8};
  const auto connect = [&](const std::shared_ptr<ServerProcess>& server) {
    auto client = MakeUniqueClient<Client>(server->endpoint(), options, mode);
    TimePings(*client, kWarmupCalls);
    return client;
  };
  const auto plain = connect(pool.Acquire(WithInjection(options, {mode, placement})));
  const auto server = pool.Acquire(WithInjection(options, {mode, placement, {delay.ServerFlag()}}));
  const auto client = connect(server);
  PausedProbe probe(placement);
  const std::vector<Probe::Pause> pauses = PausesOf(delay);
  for (std::size_t i = 0; i < kWarmupProbes; ++i) probe.Ping(pauses[i % pauses.size()]);
  LostCpuTime lost(server->visible() ? proc::TreeOf(server->pid()) : std::vector<pid_t>{});
  UndisturbedCalls calls(pauses.size(), delay.calls / pauses.size());
  Samples floor;
  Calibration result;
  result.samples = Samples(options.keeps_starts());
  const auto end = Samples::Clock::now() + kMostTime;
  const auto in_time = [&] { return Samples::Clock::now() < end; };
  do {
    const auto needed = [&] { return result.windows == 0 || calls.Missing() > 0; };
    for (std::size_t i = 0; i < delay.calls && needed() && in_time(); ++i) {
      if (i % kCallsPerProbe == 0) probe.Ping(pauses[i % pauses.size()]);
      floor.Add(TimePing(*plain));
      lost.Take();
      const auto start = Samples::Clock::now();
      const auto time = TimePing(*client);
      calls.Add({time, lost.Take(), probe.after_pause(), start});
    }
    ++result.windows;
    result.disturbed = calls.Missing();
    // Where most calls are disturbed, more windows help little.
  } while (result.disturbed > 0 && result.disturbed <= delay.calls / 2 && in_time());
  client->Close();
  plain->Close();
  // The probe's pings differ from calls of this mode by as much as they do without a pause.
  result.floor_p50_us = *floor.PercentileUs(50);
  const auto more = std::chrono::round<std::chrono::nanoseconds>(
      std::chrono::duration<double, std::micro>(result.floor_p50_us - probe.WithoutPauseP50Us()));
  std::vector<std::chrono::nanoseconds> after_pause;
  Samples after_pause_times;
  for (const UndisturbedCalls::Call& call : calls.Best()) {
    result.samples.Add({call.start, call.time});
    after_pause.push_back(call.after_pause + more);
    after_pause_times.Add(after_pause.back());
  }
  result.after_pause_us = *after_pause_times.PercentileUs(50);
  if (result.samples.count() < delay.calls) return result;
  result.statistics = Compare(delay, after_pause, result.samples);
  return result;
}

}  // namespace rpycbench
