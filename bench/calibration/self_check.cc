#include "bench/calibration/self_check.h"

#include <cstdio>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "bench/calibration/self_check_facts.h"
#include "bench/run/run.h"
#include "fixtures/meter/placement.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

using Clock = Samples::Clock;
using std::chrono::milliseconds;

constexpr Placement kPlacements[] = {Placement::kShared, Placement::kSplit, Placement::kFree};

double Nanoseconds(Clock::duration time) {
  return std::chrono::duration<double, std::nano>(time).count();
}

TimerFacts CheckTimer() {
  constexpr int kSleeps = 300;
  constexpr milliseconds kSleep{1};
  Samples late;
  late.Reset(kSleeps);
  for (int i = 0; i < kSleeps; ++i) {
    const auto start = Clock::now();
    std::this_thread::sleep_for(kSleep);
    late.Add(Clock::now() - start - kSleep);
  }
  return {*late.PercentileUs(50), *late.PercentileUs(99)};
}

// Returns the CPUs that a placement takes. If there are too few, returns nothing and sets `reason`.
std::optional<CpuPlan> PlanFor(Placement placement, std::string& reason) {
  try {
    return PlanCpus(placement);
  } catch (const OptionsError& error) {
    reason = error.what();
    return std::nullopt;
  }
}

PlacementFacts CheckPlacement(const Options& options, ServerPool& servers, Placement placement) {
  constexpr int kRuns = 10;
  constexpr milliseconds kRun{100};
  PlacementFacts facts{.placement = placement, .unavailable = {}};
  const auto plan = PlanFor(placement, facts.unavailable);
  if (!plan) return facts;
  const PinnedThread pinned(plan->client);
  const auto client = MakeUniqueClient<BareLoopClient>(
      servers.Acquire({kBareLoop, placement})->endpoint(), options, kBareLoop);
  TimePings(*client, 200);
  Samples all;
  std::vector<double> p50s;
  std::vector<double> p10s;
  const LostCpuTime before = LostCpuTime::Read(0);
  const auto start = Clock::now();
  for (int i = 0; i < kRuns; ++i) {
    Samples run;
    for (const auto end = Clock::now() + kRun; Clock::now() < end;) {
      run.Append(TimePings(*client, 100));
    }
    all.Append(run);
    p50s.push_back(*run.PercentileUs(50));
    p10s.push_back(*run.PercentileUs(10));
  }
  const auto cpu_time = Nanoseconds(Clock::now() - start) * std::thread::hardware_concurrency();
  facts.stolen = Nanoseconds((LostCpuTime::Read(0) - before).stolen) / cpu_time;
  facts.p50_us = *all.PercentileUs(50);
  facts.p99_us = *all.PercentileUs(99);
  facts.p50_deviation = RelativeDeviation(p50s);
  facts.p10_deviation = RelativeDeviation(p10s);
  client->Close();
  return facts;
}

CalibrationFacts CheckKnownDelay(const Options& options, ServerPool& servers, Placement placement,
                                 const KnownDelay& delay) {
  CalibrationFacts facts{.placement = placement, .delay = delay.name, .error = {}, .result = {}};
  const auto plan = PlanFor(placement, facts.error);
  if (!plan) return facts;
  try {
    const PinnedThread pinned(plan->client);
    facts.result =
        MeasureKnownDelay<TcpClient>(servers, options, *FindMode("tcp_threaded"), placement, delay);
  } catch (const std::exception& error) {
    facts.error = OneLine(error.what());
  }
  return facts;
}

}  // namespace

int RunSelfCheck(const Options& options, ServerPool& servers) {
  SelfCheckFacts facts;
  facts.clock = MeasureClock(200'000);
  facts.timer = CheckTimer();
  for (const Placement placement : kPlacements) {
    facts.placements.push_back(CheckPlacement(options, servers, placement));
  }
  const Placement placement = options.placement.value_or(Placement::kShared);
  for (const KnownDelay& delay : kKnownDelays) {
    facts.calibrations.push_back(CheckKnownDelay(options, servers, placement, delay));
  }
  std::fputs(Describe(facts).c_str(), stdout);
  if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write everything to stdout");
  return CalibrationHolds(facts) ? kSuccess : kFailure;
}

}  // namespace rpycbench
