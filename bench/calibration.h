// Known truth: calls to a server whose `ping` takes times of a known distribution (its flag
// --delay) must come out with just these times, on top of what the same call takes without. One
// client and one connection; a window is a whole number of the distribution's cycles, so that
// nothing is left to chance but the machine.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/clients.h"
#include "fixtures/lost_cpu_time.h"
#include "fixtures/server_fixture.h"
#include "fixtures/server_pool.h"

namespace rpycbench {

struct Truth {
  std::string_view name;
  std::string_view kind;          // of the delay
  std::string_view distribution;  // as service::DelayDistribution has it
  std::size_t calls;              // of a window

  std::string ServerFlag() const {
    return "--delay=" + std::string(kind) + ":" + std::string(distribution);
  }
};

// Times so long that what the machine adds stays small against them. A sleep has to be the longest:
// a timer of a virtual machine is tens of microseconds late.
inline constexpr std::array kTruths{Truth{"spin_uniform", "spin", "uniform:400:1200", 500},
                                    Truth{"spin_bimodal", "spin", "bimodal:500:2000:10", 500},
                                    Truth{"sleep_constant", "sleep", "constant:5000", 100}};

// A statistic that misses its expected value by more than this share of it is wrong.
inline constexpr double kTolerance = 0.02;

// In µs.
struct Statistic {
  std::string_view name;
  double expected = 0;
  double measured = 0;

  bool Holds() const;
};

struct Calibration {
  std::vector<Statistic> statistics;  // mean, p50, p95, p99
  double floor_p50_us = 0;            // of the same call without delay
  std::size_t windows = 0;            // measured; more than one where the machine was disturbed
  bool disturbed = false;             // the last window, too
  Samples samples;                    // of the last window

  // Empty if all statistics hold; otherwise each that does not, with both values.
  std::string Misses() const;
};

// What must come out: the truth's statistics on top of those of the floor, which it sorts; and what
// did.
std::vector<Statistic> Compare(const Truth& truth, Samples& floor, Samples& measured);

template <class Client>
Samples TimePings(Client& client, std::size_t calls) {
  Samples samples;
  samples.Reset(calls);
  for (std::size_t i = 0; i < calls; ++i) {
    const auto start = Samples::Clock::now();
    const auto reply = client.Ping();
    samples.Add(Samples::Clock::now() - start);
    Verify(reply == "pong", "ping");
  }
  return samples;
}

// Measures the floor, then up to three windows: another one only if the last missed and CPU time
// was lost in it. The caller has pinned its thread. Throws what clients throw, and ServerError.
template <class Client>
Calibration Calibrate(ServerPool& pool, const Options& options, const ServerMode& mode,
                      Placement placement, const Truth& truth) {
  constexpr std::size_t kFloorCalls = 500;
  constexpr std::size_t kWarmupCalls = 20;
  constexpr std::size_t kMostWindows = 3;
  const auto connect = [&](const ServerProcess& server) {
    auto client = MakeUniqueClient<Client>(server.endpoint(), options, mode);
    TimePings(*client, kWarmupCalls);
    return client;
  };
  const auto plain = connect(pool.Acquire({mode, placement}));
  Samples floor = TimePings(*plain, kFloorCalls);
  plain->Close();

  ServerProcess& server = pool.Acquire({mode, placement, {truth.ServerFlag()}});
  // A launcher's server may be a process of another machine.
  const pid_t process = options.server_launcher.empty() ? server.pid() : 0;
  const auto client = connect(server);
  Calibration result;
  result.floor_p50_us = *floor.PercentileUs(50);
  do {
    const LostCpuTime before = LostCpuTime::Read(process);
    const auto start = Samples::Clock::now();
    result.samples = TimePings(*client, truth.calls);
    const auto length = Samples::Clock::now() - start;
    result.disturbed = (LostCpuTime::Read(process) - before).Disturbs(length);
    result.statistics = Compare(truth, floor, result.samples);
    ++result.windows;
  } while (!result.Misses().empty() && result.disturbed && result.windows < kMostWindows);
  client->Close();
  return result;
}

}  // namespace rpycbench
