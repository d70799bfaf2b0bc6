// A measurement that is made once for each repetition of a row, such as a search or a window of
// fixed length. The framework's trials for the number of iterations do not repeat it. Its result
// then counts for each iteration. It serves rows that report their time themselves (manual time).
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <optional>

#include "fixtures/meter/row_meter.h"

namespace rpycbench {

template <class Result>
class OncePerRepetition {
 public:
  // Returns the result of this repetition, which `measure` supplies if there is none yet.
  Result& Get(const benchmark::State& state, const std::function<Result()>& measure) {
    const auto iterations = state.max_iterations;
    // Iterations grow from trial to trial. A repetition begins with as many as the last one ended
    // with.
    if (!result_ || iterations <= last_iterations_) {
      result_.reset();
      span_.begin = Samples::Clock::now();
      result_.emplace(measure());
      span_.end = Samples::Clock::now();
    }
    last_iterations_ = iterations;
    return *result_;
  }

  // Returns when the present result was measured.
  const RowMeter::Span& span() const { return span_; }

 private:
  std::optional<Result> result_;
  RowMeter::Span span_;
  benchmark::IterationCount last_iterations_ = 0;
};

// Reports `seconds` as the time of every iteration of the row.
inline void ReportEach(benchmark::State& state, double seconds) {
  for (auto _ : state) state.SetIterationTime(seconds);
}

}  // namespace rpycbench
