// A measurement that is made once for each repetition of a row, and not for every trial by which
// the framework finds its number of iterations: a search, or a window of fixed length. Its result
// then stands for each iteration. For rows whose time is told by the row itself (manual time).
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <optional>

namespace rpycbench {

template <class Result>
class OncePerRepetition {
 public:
  // The result of this repetition, from `measure` if it has none yet.
  Result& Get(const benchmark::State& state, const std::function<Result()>& measure) {
    const auto iterations = state.max_iterations;
    // Iterations grow from trial to trial; a repetition begins with as many as the last one ended.
    if (!result_ || iterations <= last_iterations_) {
      result_.reset();
      result_.emplace(measure());
    }
    last_iterations_ = iterations;
    return *result_;
  }

 private:
  std::optional<Result> result_;
  benchmark::IterationCount last_iterations_ = 0;
};

// Every iteration of the row takes this long.
inline void ReportEach(benchmark::State& state, double seconds) {
  for (auto _ : state) state.SetIterationTime(seconds);
}

}  // namespace rpycbench
