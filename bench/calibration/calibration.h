// Checks the suite against a known delay. A server whose `ping` takes times of a known distribution
// (its flag --delay) must yield exactly these times, on top of a call without delay. One client
// uses one connection. A window is a whole number of the distribution's cycles, so that only the
// machine is left to chance.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/clients/clients.h"
#include "fixtures/meter/lost_cpu_time.h"
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

// The times are long, so that what the machine adds stays small against them. A call after some
// milliseconds of quiet finds its caches and the virtual CPU cold, and takes up to 100 us more.
inline constexpr std::array kKnownDelays{
    KnownDelay{"spin_uniform", "spin", "uniform:3000:9000", 200},
    KnownDelay{"spin_bimodal", "spin", "bimodal:4000:16000:10", 200},
    KnownDelay{"sleep_constant", "sleep", "constant:10000", 200}};

// A statistic may miss its true value by this share of it, plus the time that the same call takes
// without delay.
inline constexpr double kTolerance = 0.02;

// One statistic of a window: what it should be and what was measured. All values are in µs.
struct Statistic {
  std::string_view name;
  double expected = 0;
  double measured = 0;
  double allowed = 0;  // the largest difference that passes

  bool Holds() const;
};

struct Calibration {
  std::vector<Statistic> statistics;  // mean, p50, p95, p99
  double floor_p50_us = 0;            // the median of the same call without delay
  std::size_t windows = 0;  // windows measured; more than one if the machine was disturbed
  bool disturbed = false;   // whether the last window was disturbed, too
  Samples samples;          // those of the last window

  // Returns an empty string if all statistics hold, otherwise those that do not, with both values.
  std::string Misses() const;
};

// Returns the statistics of `measured` next to their true values. `floor_us` is the median of the
// same call without delay, in µs.
std::vector<Statistic> Compare(const KnownDelay& delay, double floor_us, Samples& measured);

template <class Client>
void TimePing(Client& client, Samples& samples) {
  const auto start = Samples::Clock::now();
  const auto reply = client.Ping();
  samples.Add(Samples::Clock::now() - start);
  Verify(reply == "pong", "ping");
}

template <class Client>
Samples TimePings(Client& client, std::size_t calls) {
  Samples samples;
  samples.Reset(calls);
  for (std::size_t i = 0; i < calls; ++i) TimePing(client, samples);
  return samples;
}

// Measures up to three windows, another one only if the last missed and CPU time was lost in it.
// Calls with and without delay alternate, so that the floor comes from the same moments. The caller
// has pinned its thread. Throws what clients throw, and ServerError.
template <class Client>
Calibration MeasureKnownDelay(ServerPool& pool, const Options& options, const ServerMode& mode,
                              Placement placement, const KnownDelay& delay) {
  constexpr std::size_t kWarmupCalls = 20;
  constexpr std::size_t kMostWindows = 3;
  const auto connect = [&](const std::shared_ptr<ServerProcess>& server) {
    auto client = MakeUniqueClient<Client>(server->endpoint(), options, mode);
    TimePings(*client, kWarmupCalls);
    return client;
  };
  const auto plain = connect(pool.Acquire(WithInjection(options, {mode, placement})));
  const auto server = pool.Acquire(WithInjection(options, {mode, placement, {delay.ServerFlag()}}));
  // A launcher may start the server on another machine, where its pid means nothing here.
  const pid_t process = options.server_launcher.empty() ? server->pid() : 0;
  const auto client = connect(server);
  Calibration result;
  do {
    const LostCpuTime before = LostCpuTime::Read(process);
    const auto start = Samples::Clock::now();
    Samples floor;
    floor.Reset(delay.calls);
    result.samples.Reset(delay.calls);
    for (std::size_t i = 0; i < delay.calls; ++i) {
      TimePing(*plain, floor);
      TimePing(*client, result.samples);
    }
    const auto length = Samples::Clock::now() - start;
    result.disturbed = (LostCpuTime::Read(process) - before).Disturbs(length);
    // The median, because not every call suffers the floor's outliers.
    result.floor_p50_us = *floor.PercentileUs(50);
    result.statistics = Compare(delay, result.floor_p50_us, result.samples);
    ++result.windows;
  } while (!result.Misses().empty() && result.disturbed && result.windows < kMostWindows);
  client->Close();
  plain->Close();
  return result;
}

}  // namespace rpycbench
