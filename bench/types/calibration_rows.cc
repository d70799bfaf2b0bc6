// Calibration: rows whose true result is known, and which end in an error if they miss it. They
// measure the suite and the machine, not a server (see calibration.h).
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/calibration/calibration.h"
#include "bench/types/once_per_repetition.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/meter/counters.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {
namespace {

template <class Client>
class CalibrationRow : public ServerFixture {
 public:
  CalibrationRow(const Suite& suite, const ServerMode& mode, const KnownDelay& delay)
      : ServerFixture(suite,
                      "Calibration/" + std::string(mode.name) + "/" + std::string(delay.name), mode,
                      Placement::kShared, {delay.ServerFlag()}, Timing::kManual),
        pool_(suite.pool),
        delay_(delay) {}

 protected:
  void Measure(benchmark::State& state) override {
    Calibration& result = once_.Get(state, [&] {
      Calibration calibration =
          MeasureKnownDelay<Client>(pool_, options(), mode(), placement(), delay_);
      RequireAgreement(calibration);
      return calibration;
    });
    ReportEach(state, result.samples.MeanUs() * 1e-6);
    meter().SetSpan(once_.span());
    KeepDistribution(result.samples);
    SetLatencyCounters(state.counters, result.samples);
    // The row itself finds out how reliable they are, so the meter gets only their number.
    meter().evidence().samples = result.samples.count();
    state.counters[counter::kMean] = result.samples.MeanUs();
    state.counters[counter::kFloorP50] = result.floor_p50_us;
    state.counters[counter::kAfterPause] = result.after_pause_us;
    state.counters[counter::kWindows] = static_cast<double>(result.windows);
    const char* const expected[] = {counter::kExpectedMean, counter::kExpectedP50,
                                    counter::kExpectedP95, counter::kExpectedP99};
    for (std::size_t i = 0; i < result.statistics.size(); ++i) {
      state.counters[expected[i]] = result.statistics[i].expected;
    }
  }

  std::string Conditions() const override {
    return "delay=" + std::string(delay_.kind) + ":" + std::string(delay_.distribution);
  }

 private:
  static void RequireAgreement(const Calibration& calibration) {
    if (const std::string misses = calibration.Misses(); !misses.empty()) {
      throw std::runtime_error(
          misses + " after " + std::to_string(calibration.windows) + " windows" +
          (calibration.disturbed == 0
               ? ""
               : "; " + std::to_string(calibration.disturbed) + " calls lost CPU time in each"));
    }
  }

  ServerPool& pool_;
  KnownDelay delay_;
  OncePerRepetition<Calibration> once_;
};

void RegisterCalibration(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("Calibration", suite.options.preset, mode)) return;
    for (const KnownDelay& delay : kKnownDelays) {
      RegisterRow(suite, std::make_unique<CalibrationRow<Client>>(suite, mode, delay));
    }
  });
}

}  // namespace

extern const BenchmarkType kCalibrationType{
    {.name = "Calibration",
     .timed = "one call to a server whose delay is known (`full`)",
     .variants = "`spin_uniform`, `spin_bimodal`, `sleep_constant`",
     .has_floor = false,
     .counters = {counter::kMean, counter::kFloorP50, counter::kAfterPause, counter::kWindows,
                  counter::kExpectedMean, counter::kExpectedP50, counter::kExpectedP95,
                  counter::kExpectedP99, counter::kExpectedP999}},
    RegisterCalibration};

}  // namespace rpycbench
