// MaxRate: the highest rate of calls whose 99th percentile of response times stays within an
// objective (--slo). Response times count from when the calls were due. Short open loops at
// different rates search for it, then a longer one confirms it. The row's time is the time per call
// at this rate.
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "bench/load/rate_search.h"
#include "bench/types/once_per_repetition.h"
#include "bench/types/open_loop_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr double kProbeSeconds = 0.12;
constexpr double kConfirmSeconds = 0.3;
constexpr std::uint64_t kSeeds = 64;  // a search takes fewer

template <class Client>
class MaxRateRow : public OpenLoopFixture<Client> {
  using Base = OpenLoopFixture<Client>;

 public:
  MaxRateRow(const Suite& suite, const ServerMode& mode, std::size_t connections)
      : Base(suite, "MaxRate/" + std::string(mode.name), mode, connections) {}

 protected:
  void Measure(benchmark::State& state) override {
    Result& result = once_.Get(state, [&] { return Search(); });
    ReportEach(state, 1 / result.found.per_second);
    this->UseMeter(*result.meter);
    this->Report(state, result.window, result.found.per_second);
    state.counters[counter::kMaxPerSecond] = result.most;
    state.counters[counter::kMaxRate] = result.found.per_second;
    state.counters[counter::kSlo] = static_cast<double>(this->options().slo_us);
    state.counters[counter::kProbes] = static_cast<double>(result.found.probes);
  }

  std::string Conditions() const override {
    return Base::Conditions() + " slo_us=" + std::to_string(this->options().slo_us);
  }

 private:
  struct Result {
    FoundRate found{};
    double most = 0;        // calls per second at saturation
    OpenLoopWindow window;  // the one that confirmed it
    std::optional<RowMeter> meter;
  };

  Result Search() {
    const auto clients = this->Connect();
    Result result;
    result.most = SaturationRates().Of(this->mode().name, *clients);
    auto seed = static_cast<std::uint64_t>(this->options().arrival_seed) + kSeeds * searches_++;
    const RowMeter connected = this->meter();
    std::size_t made = 0;
    std::size_t unanswered = 0;
    const auto found = FindHighestRate(
        result.most,
        [&](double rate) {
          OpenLoopWindow window = Probe(*clients, rate, kProbeSeconds, seed++);
          unanswered += window.unanswered();
          return Meets(window);
        },
        [&](double rate) {
          this->UseMeter(connected);  // the report leaves out the probes
          result.window = Probe(*clients, rate, kConfirmSeconds, seed++);
          unanswered += result.window.unanswered();
          return Meets(result.window);
        },
        &made);
    clients->CloseAll();
    if (!found) {
      throw std::runtime_error(
          "no rate keeps p99 within " + std::to_string(this->options().slo_us) + " us, from " +
          std::to_string(std::llround(result.most)) +
          " calls/s, the maximum, down to a 128th of it (" + std::to_string(made) + " probes, " +
          std::to_string(unanswered) + " calls without an answer)");
    }
    result.found = *found;
    result.meter.emplace(this->Metered(result.window));
    return result;
  }

  OpenLoopWindow Probe(typename Base::Clients& clients, double per_second, double seconds,
                       std::uint64_t seed) {
    // If calls wait for longer than the objective, the outcome is certain.
    return this->RunWindow(clients, per_second, CallsIn(seconds, per_second), seed,
                           microseconds(this->options().slo_us) + milliseconds(20));
  }

  bool Meets(OpenLoopWindow& window) const {
    if (!window.complete()) return false;  // the server does not keep up
    const double p99 = window.responses.PercentileUs(99).value_or(window.responses.MaxUs());
    return p99 <= static_cast<double>(this->options().slo_us);
  }

  OncePerRepetition<Result> once_;
  std::uint64_t searches_ = 0;
};

void RegisterMaxRate(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("MaxRate", suite.options.preset, mode)) return;
    RegisterRow(suite, std::make_unique<MaxRateRow<Client>>(
                           suite, mode, OpenLoopConnections(suite.options, mode)));
  });
}

}  // namespace

extern const BenchmarkType kMaxRateType{
    {.name = "MaxRate",
     .timed = "a call at the highest rate whose p99 stays within `--slo`",
     .variants = "none",
     .primary = {"calls/s", counter::kMaxRate},
     .has_floor = false,
     .has_tail = true,
     .counters = {counter::kServiceP50, counter::kServiceP99, counter::kLateP99, counter::kRate,
                  counter::kAchieved, counter::kMaxPerSecond, counter::kBacklogMax,
                  counter::kBacklogEnd, counter::kUnanswered, counter::kRefused, counter::kTimedOut,
                  counter::kGivenUp, counter::kMaxRate, counter::kSlo, counter::kProbes},
     .flags = {"--slo", "--arrivals", "--arrival_seed", "--open_loop_connections"}},
    RegisterMaxRate};

}  // namespace rpycbench
