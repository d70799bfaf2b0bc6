// Generator: what the load generator itself costs, compared with wrk, a well-known one. The suite's
// event-driven HTTP clients and wrk take turns. Both ask the same running server for the same thing
// over as many connections, from the same CPU. The row's time is the suite's wall time per request.
// Ratios of CPU time and rate come from adjacent turns.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>

#include "bench/load/request_slice.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/meter/process_usage.h"
#include "fixtures/process/wrk.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

// Returns the length of a turn of either generator. wrk takes whole seconds. A thousand
// connections, each a thread of the server, take part of the first second to set up.
constexpr std::chrono::seconds TurnOf(std::size_t connections) {
  return std::chrono::seconds(connections < 1'000 ? 1 : 2);
}
constexpr double kCalibrationShare = 0.1;
constexpr std::uint64_t kFirstGuess = 2'000;  // requests; they take some 50 ms

// The request, and what the answer must be.
struct Question {
  std::string path;
  std::string answer;
  bool compared;  // whether its content is compared, or only its status and length
};

// The totals of one generator in all turns of a row.
struct Turns {
  double requests = 0;
  double seconds = 0;  // including connecting
  CpuTime cpu;

  double per_second() const { return requests / seconds; }
  double UsPerRequest(std::chrono::nanoseconds time) const {
    return std::chrono::duration<double, std::micro>(time).count() / requests;
  }
};

class GeneratorRow : public ServerFixture {
 public:
  GeneratorRow(const Suite& suite, const std::string& name, const ServerMode& mode,
               std::size_t connections, Question question)
      : ServerFixture(suite, name, mode, UsualPlacement()),
        connections_(connections),
        question_(std::move(question)) {}

 protected:
  void Measure(benchmark::State& state) override {
    const bool beside_wrk = WhyNoWrk(transport()).empty();
    // Repetitions must have the same number of iterations.
    if (!requests_of_a_turn_) requests_of_a_turn_ = RequestsOfATurn();
    const std::uint64_t requests = *requests_of_a_turn_;
    Samples latencies(options().keeps_starts());
    latencies.Reset(requests);
    WireTotals wire;
    Turns own;
    Turns wrk_turns;
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(requests))) {
      state.PauseTiming();
      if (beside_wrk) AddTurnOfWrk(wrk_turns);
      AddTurn(state, requests, latencies, wire, own);
      state.ResumeTiming();
    }
    meter().TakeSamples(latencies, Tail::kP99);
    ReportCalls(state, latencies, wire);
    meter().CountOperations(static_cast<std::uint64_t>(own.requests));
    state.SetItemsProcessed(state.iterations());
    if (beside_wrk) Compare(state, own, wrk_turns);
  }

 private:
  using Clock = Samples::Clock;

  // Returns one CPU for each end, as a generator is usually run, or the only CPU for both.
  static Placement UsualPlacement() {
    const cpu_set_t allowed = PlanCpus(Placement::kFree).client;
    return CPU_COUNT(&allowed) > 1 ? Placement::kSplit : Placement::kShared;
  }

  static double SecondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  auto Call() const {
    return [this](HttpClient& client) {
      const std::string_view body = client.Get(question_.path, question_.answer.size());
      if (question_.compared) Verify(body == question_.answer, question_.path);
    };
  }

  std::uint64_t RequestsOfATurn() const {
    std::uint64_t requests = std::max<std::uint64_t>(kFirstGuess, connections_);
    for (;;) {
      RequestSlice slice(server(), options(), mode(), connections_, Call());
      slice.Connect();
      Samples ignored;
      ignored.Reset(requests);
      const auto start = Clock::now();
      slice.MakeRequests(requests, ignored);
      const double share =
          SecondsSince(start) / std::chrono::duration<double>(TurnOf(connections_)).count();
      slice.CloseAll();
      requests = static_cast<std::uint64_t>(std::ceil(static_cast<double>(requests) / share));
      if (share >= kCalibrationShare) return requests;
      requests = static_cast<std::uint64_t>(static_cast<double>(requests) * 2 * kCalibrationShare);
    }
  }

  // Call this with the clock stopped, as it is on return. As with wrk, CPU time and seconds include
  // connecting.
  void AddTurn(benchmark::State& state, std::uint64_t requests, Samples& latencies,
               WireTotals& wire, Turns& turns) {
    meter().Start();
    const ProcessUsage before = UsageOfThisProcess();
    const auto start = Clock::now();
    RequestSlice slice(server(), options(), mode(), connections_, Call());
    slice.Connect();
    const WireTotals connected = slice.Wire();
    state.ResumeTiming();
    slice.MakeRequests(requests, latencies);
    state.PauseTiming();
    turns.seconds += SecondsSince(start);
    turns.cpu += CpuBetween(before, UsageOfThisProcess());
    turns.requests += static_cast<double>(requests + connections_);  // one more for each connection
    meter().Stop();
    wire += slice.Wire() - connected;
    slice.CloseAll();
  }

  void AddTurnOfWrk(Turns& turns) const {
    const std::string scheme = IsTls(transport()) ? "https://" : "http://";
    const WrkReport report = RunWrk({.url = scheme + server().ToString() + question_.path,
                                     .connections = connections_,
                                     .duration = TurnOf(connections_)});
    turns.requests += static_cast<double>(report.requests);
    turns.seconds += static_cast<double>(report.requests) / report.requests_per_second;
    turns.cpu += report.cpu;
  }

  static void Compare(benchmark::State& state, const Turns& own, const Turns& wrk) {
    const double wrk_cpu_us = wrk.UsPerRequest(wrk.cpu.total);
    state.counters[counter::kWrkCpu] = wrk_cpu_us;
    state.counters[counter::kWrkKernelCpu] = wrk.UsPerRequest(wrk.cpu.kernel);
    state.counters[counter::kWrkRate] = wrk.per_second();
    state.counters[counter::kCpuBesideWrk] = own.UsPerRequest(own.cpu.total) / wrk_cpu_us;
    state.counters[counter::kRateBesideWrk] = own.per_second() / wrk.per_second();
  }

  std::size_t connections_;
  Question question_;
  std::optional<std::uint64_t> requests_of_a_turn_;
};

void RegisterGenerator(const Suite& suite) {
  constexpr std::uint64_t kDownloadBytes = 1024;
  const std::string pong = R"({"response":"pong"})";
  const std::string download =
      service::Payload::Of(suite.options.payload, kDownloadBytes).ToString();
  const std::string download_path = "/download/" + std::to_string(kDownloadBytes);
  const struct {
    const char* name;
    Question question;
  } variants[] = {{"length", {"/ping", pong, false}},
                  {"compared", {"/ping", pong, true}},
                  {"compared_1024", {download_path, download, true}}};
  for (const ServerMode& mode : suite.modes) {
    for (const auto& [name, question] : variants) {
      for (const std::int64_t connections : GeneratorConnections(suite.options, mode)) {
        RegisterRow(suite, std::make_unique<GeneratorRow>(
                               suite,
                               "Generator/" + std::string(mode.name) + '/' + name +
                                   "/connections:" + std::to_string(connections),
                               mode, static_cast<std::size_t>(connections), question));
      }
    }
  }
}

}  // namespace

extern const BenchmarkType kGeneratorType{
    {.name = "Generator",
     .timed = "a request of the suite's load generator, in turns with wrk's (`full`)",
     .variants = "`length`, `compared`, `compared_1024`, each `connections:<n>`",
     .primary = {"CPU × wrk's", counter::kCpuBesideWrk},
     .has_floor = false,
     .counters = {counter::kWrkCpu, counter::kWrkKernelCpu, counter::kWrkRate,
                  counter::kCpuBesideWrk, counter::kRateBesideWrk}},
    RegisterGenerator};

}  // namespace rpycbench
