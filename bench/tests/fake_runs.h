// Results as the framework passes them to reporters, for the tests of reporters. The figures are
// made up.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

#include "fixtures/benchmark_compat.h"

namespace rpycbench {

// Returns one repetition of a row that took 2 s for 4 iterations.
inline compat::Run FakeRun(const std::string& name, int repetition = 0, int repetitions = 1) {
  compat::Run run;
  run.run_name.function_name = name;
  run.family_index = 0;
  run.per_family_instance_index = 0;
  run.iterations = 4;
  run.real_accumulated_time = 2;
  run.cpu_accumulated_time = 1;
  run.repetition_index = repetition;
  run.repetitions = repetitions;
  run.statistics = nullptr;
  return run;
}

inline compat::Run FailedRun(const std::string& name, const std::string& message,
                             int repetition = 0, int repetitions = 1) {
  compat::Run run = FakeRun(name, repetition, repetitions);
  compat::SetError(run, message);
  return run;
}

inline compat::Run FakeAggregate(const std::string& name, const std::string& aggregate) {
  compat::Run run = FakeRun(name, compat::Run::no_repetition_index, 3);
  run.run_type = compat::Run::RT_Aggregate;
  run.aggregate_name = aggregate;
  return run;
}

}  // namespace rpycbench
