#include "bench/calibration/self_check.h"

#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

#include "bench/calibration/self_check_facts.h"
#include "bench/run/run.h"
#include "fixtures/meter/machine.h"
#include "fixtures/meter/placement.h"
#include "fixtures/pairs/median_interval.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

using Clock = Samples::Clock;
using std::chrono::milliseconds;

constexpr Placement kPlacements[] = {Placement::kShared, Placement::kSplit, Placement::kFree};

// Returns the share of the CPU time wanted between two readings that the host kept.
double StolenBetween(const MachineState& earlier, const MachineState& later) {
  const MachineChange change = Between(earlier, later);
  const std::chrono::duration<double> stolen = change.steal;
  const std::chrono::duration<double> wanted = change.busy + change.steal;
  return wanted.count() > 0 ? stolen / wanted : 0;
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
  constexpr milliseconds kTime{1'000};
  constexpr std::size_t kSlot = 50;
  PlacementFacts facts{.placement = placement, .unavailable = {}};
  const auto plan = PlanFor(placement, facts.unavailable);
  if (!plan) return facts;
  const PinnedThread pinned(plan->client);
  const auto server = servers.Acquire({kBareLoop, placement});
  const auto connect = [&] {
    auto client = MakeUniqueClient<BareLoopClient>(server->endpoint(), options, kBareLoop);
    TimePings(*client, 200);
    return client;
  };
  const auto first = connect();
  const auto second = connect();
  Samples all;
  std::vector<double> ratios;
  for (const auto end = Clock::now() + kTime; Clock::now() < end;) {
    Samples one = TimePings(*first, kSlot);
    Samples other = TimePings(*second, kSlot);
    all.Append(one);
    ratios.push_back(*other.PercentileUs(50) / *one.PercentileUs(50));
  }
  facts.p50_spread = all.SpreadOverTime().value_or(0);
  facts.p50_us = *all.PercentileUs(50);
  facts.p99_us = *all.PercentileUs(99);
  // Without an interval, nothing is certain.
  facts.ratio_uncertainty = MedianWithInterval(ratios).HalfWidth().value_or(1);
  first->Close();
  second->Close();
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
  const cpu_set_t cpus = PlanCpus(Placement::kFree).client;
  const MachineState before = ReadMachineState(cpus);
  facts.clock = MeasureClock(200'000);
  facts.timer = CheckTimer();
  for (const Placement placement : kPlacements) {
    facts.placements.push_back(CheckPlacement(options, servers, placement));
  }
  const Placement placement = options.placement.value_or(Placement::kShared);
  for (const KnownDelay& delay : kKnownDelays) {
    facts.calibrations.push_back(CheckKnownDelay(options, servers, placement, delay));
  }
  facts.stolen = StolenBetween(before, ReadMachineState(cpus));
  std::fputs(Describe(facts).c_str(), stdout);
  if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write everything to stdout");
  return CalibrationHolds(facts) ? kSuccess : kFailure;
}

}  // namespace rpycbench
