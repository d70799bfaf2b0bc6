// OpenLoop: calls come at a rate that does not depend on the answers. It is a share of the maximum
// just measured for the server, or a number per second. A call's time runs from the moment it was
// due. So the figures include delays that a client in a closed loop would miss, because the server
// kept it from calling. The variant `stalls` proves it with a server that stops answering at known
// moments, where the right result can be calculated.
#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

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

using std::chrono::milliseconds;
using std::chrono::seconds;

// The load on the server: a share of its maximum, or a rate.
struct Rate {
  std::int64_t percent = 0;  // 0: the rate applies
  std::int64_t per_second = 0;

  std::string Name() const {
    return percent > 0 ? "load:" + std::to_string(percent) : "rate:" + std::to_string(per_second);
  }
};

std::string RowName(const ServerMode& mode, const std::string& rest) {
  return "OpenLoop/" + std::string(mode.name) + "/" + rest;
}

template <class Client>
class OpenLoopRow : public OpenLoopFixture<Client> {
  using Base = OpenLoopFixture<Client>;

 public:
  OpenLoopRow(const Suite& suite, const ServerMode& mode, std::size_t connections, Rate rate,
              std::shared_ptr<SaturationRates> saturation)
      : Base(suite, RowName(mode, rate.Name()), mode, connections),
        rate_(rate),
        saturation_(std::move(saturation)) {}

 protected:
  void Measure(benchmark::State& state) override {
    Result& result = once_.Get(state, [&] { return MeasureWindow(); });
    ReportEach(state, result.window.MeanUs() * 1e-6);
    this->UseMeter(*result.meter);
    this->Report(state, result.window, result.per_second);
    if (result.most > 0) state.counters[counter::kMaxPerSecond] = result.most;
  }

 private:
  struct Result {
    double most = 0;  // calls per second at saturation; 0 if not needed
    double per_second = 0;
    OpenLoopWindow window;
    std::optional<RowMeter> meter;
  };

  Result MeasureWindow() {
    const Options& options = this->options();
    const auto clients = this->Connect();
    Result result;
    result.per_second = static_cast<double>(rate_.per_second);
    if (rate_.percent > 0) {
      result.most = saturation_->Of(this->mode().name, *clients);
      result.per_second = result.most * static_cast<double>(rate_.percent) / 100;
    }
    const std::size_t calls =
        CallsIn(static_cast<double>(OpenLoopWindowMs(options)) / 1e3, result.per_second);
    const double length = static_cast<double>(calls) / result.per_second;
    result.window = this->RunWindow(*clients, result.per_second, calls,
                                    static_cast<std::uint64_t>(options.arrival_seed) + windows_++,
                                    milliseconds(500 + static_cast<std::int64_t>(length * 1e3)));
    result.meter.emplace(this->Metered(result.window));
    clients->CloseAll();
    return result;
  }

  Rate rate_;
  std::shared_ptr<SaturationRates> saturation_;
  std::uint64_t windows_ = 0;  // so far; each repetition has arrivals of its own
  OncePerRepetition<Result> once_;
};

// The server stops for 100 ms of each second. Calls come evenly, and the share 0.1 of them falls
// into a stall. Among these, all waits from zero to the stall's length are equally frequent. So a
// response takes longer than x with probability (length - x) / period.
constexpr milliseconds kStallEvery{1'000};
constexpr milliseconds kStallLength{100};
constexpr int kStalls = 3;
constexpr double kStalledRate = 1'000;
constexpr std::size_t kStalledConnections = 128;  // more than the calls that come during a stall

constexpr double ExpectedUs(double percentile) {
  const auto period = static_cast<double>(kStallEvery.count());
  return (static_cast<double>(kStallLength.count()) - period + period * percentile / 100) * 1e3;
}
static_assert(ExpectedUs(99) == 90'000);

template <class Client>
class StallsRow : public OpenLoopFixture<Client> {
  using Base = OpenLoopFixture<Client>;
  using typename Base::Clock;

 public:
  StallsRow(const Suite& suite, const ServerMode& mode)
      : Base(suite, RowName(mode, "stalls"), mode, kStalledConnections,
             {"--delay=stall:" + std::to_string(kStallEvery.count()) + ":" +
              std::to_string(kStallLength.count())}) {}

 protected:
  void Measure(benchmark::State& state) override {
    Result& result = once_.Get(state, [&] { return MeasureStalls(); });
    ReportEach(state, result.window.MeanUs() * 1e-6);
    // What looks like a stall is intended here, so it must raise no doubt.
    this->meter().evidence().samples = result.window.answered();
    this->meter().SetSpan(once_.span());
    this->Report(state, result.window, kStalledRate);
    state.counters[counter::kExpectedP99] = ExpectedUs(99);
    state.counters[counter::kExpectedP999] = ExpectedUs(99.9);
    state.counters[counter::kClosedLoopP99] = *result.closed_loop.PercentileUs(99);
  }

  std::string Conditions() const override {
    return "arrivals=constant connections=" + std::to_string(kStalledConnections);
  }

 private:
  struct Result {
    OpenLoopWindow window;
    Samples closed_loop;
  };

  Result MeasureStalls() {
    constexpr auto kLength = kStalls * kStallEvery;
    const auto clients = this->Connect();
    const auto schedule =
        Schedule(Arrivals::kConstant, kStalledRate,
                 static_cast<std::size_t>(kStalledRate * seconds(kLength / seconds(1)).count()), 0);
    // The server counts from the same clock. A window begins halfway between two stalls.
    const auto now = Clock::now();
    const auto start =
        now + kStallEvery - now.time_since_epoch() % kStallEvery + (kStallEvery + kStallLength) / 2;
    Result result{.window = clients->Run(schedule, start, kStallEvery), .closed_loop = {}};
    if (!result.window.complete()) throw std::runtime_error("calls had no answer");
    clients->CloseAll();
    CallInClosedLoop(kLength, result.closed_loop);
    return result;
  }

  // Runs one client that waits for each answer before it makes the next call, for as long.
  void CallInClosedLoop(Clock::duration length, Samples& samples) {
    const auto client = MakeUniqueClient<Client>(this->server(), this->options(), this->mode());
    samples.Reset(500'000);
    auto begun = Clock::now();
    for (const auto end = begun + length; begun < end;) {
      this->Ping(*client);
      const auto answered = Clock::now();
      samples.Add(answered - begun);
      begun = answered;
    }
    client->Close();
  }

  OncePerRepetition<Result> once_;
};

void RegisterOpenLoop(const Suite& suite) {
  const auto saturation = std::make_shared<SaturationRates>();
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    const auto add = [&](Rate rate) {
      RegisterRow(suite,
                  std::make_unique<OpenLoopRow<Client>>(
                      suite, mode, OpenLoopConnections(suite.options, mode), rate, saturation));
    };
    for (const std::int64_t load : OpenLoopLoads(suite.options, mode)) {
      if (suite.options.rates.empty()) add({.percent = load});
    }
    if (OpenLoopLoads(suite.options, mode).empty()) return;
    for (const std::int64_t rate : suite.options.rates) add({.per_second = rate});
    if (HasRows("OpenLoop/stalls", suite.options.preset, mode)) {
      RegisterRow(suite, std::make_unique<StallsRow<Client>>(suite, mode));
    }
  });
}

}  // namespace

extern const BenchmarkType kOpenLoopType{
    {.name = "OpenLoop",
     .timed = "one call at a rate that does not depend on the answers, timed from when it was due",
     .variants = "`load:<percent>`, with `--rate` `rate:<per second>`; `stalls` (`full`)",
     .primary = {"calls/s", counter::kAchieved},
     .has_floor = false,
     .has_tail = true,
     .counters = {counter::kServiceP50, counter::kServiceP99, counter::kLateP99, counter::kRate,
                  counter::kAchieved, counter::kMaxPerSecond, counter::kBacklogMax,
                  counter::kBacklogEnd, counter::kUnanswered, counter::kRefused, counter::kTimedOut,
                  counter::kGivenUp, counter::kClosedLoopP99},
     .flags = {"--rate", "--window_ms", "--arrivals", "--arrival_seed", "--open_loop_connections"}},
    RegisterOpenLoop};

}  // namespace rpycbench
