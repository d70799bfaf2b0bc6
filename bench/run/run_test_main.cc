// The suite's program with rows that need no server, for the tests of how it runs and reports. The
// rows cover what rows can do:
//   succeed with different counters
//   fail before or after the clock ran
//   fail in one of several repetitions
//   wait for ever, so that the program can be killed meanwhile
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/run/context.h"
#include "bench/run/run.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/fixture_base.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

using Body = std::function<void(benchmark::State&)>;

class FakeRow : public FixtureBase {
 public:
  FakeRow(const char* name, Body body) : body_(std::move(body)) {
    SetName(name);
    UseRealTime();
  }

 protected:
  void BenchmarkCase(benchmark::State& state) override { body_(state); }

 private:
  Body body_;
};

void Spin(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(state.iterations());
}

void FailBeforeTheClock(benchmark::State&) {
  throw std::runtime_error("refused: \"no\x1b[31m server\xff\"\nstderr of it");
}

void FailAfterTheClock(benchmark::State& state) {
  Spin(state);
  state.SkipWithError("wrong bytes");
}

// Announces itself, then never ends.
void WaitForEver(benchmark::State&) {
  std::fputs("waiting\n", stderr);
  while (true) ::pause();
}

// Fails at its `nth` call, which is the nth repetition of rows with a fixed number of iterations.
Body FailAt(int nth) {
  return [nth, calls = 0](benchmark::State& state) mutable {
    if (++calls == nth) throw std::runtime_error("one of several");
    Spin(state);
  };
}

Body Counting(const char* name, double value) {
  return [name, value](benchmark::State& state) {
    Spin(state);
    state.counters[name] = value;
  };
}

void Register(const char* name, const Body& body) {
  compat::RegisterRow(std::make_unique<FakeRow>(name, body));
}

void RegisterFlaky(const char* name, int failing_repetition) {
  auto row = std::make_unique<FakeRow>(name, FailAt(failing_repetition));
  row->Iterations(10);
  compat::RegisterRow(std::move(row));
}

void RegisterRows() {
  Register("Good/first", Counting(counter::kP50, 1.5));
  Register("Good/second", Counting(counter::kServerRss, 2.5));
  Register("Odd/not_a_number", Counting(counter::kMax, std::numeric_limits<double>::quiet_NaN()));
  Register("Odd/unknown_counter", Counting("surprise", 1));
  Register("Bad/before", FailBeforeTheClock);
  Register("Bad/after", FailAfterTheClock);
  RegisterFlaky("Flaky/first", 1);
  RegisterFlaky("Flaky/third", 3);
  Register("Wait/for_ever", WaitForEver);
}

}  // namespace
}  // namespace rpycbench

int main(int argc, char** argv) {
  using namespace rpycbench;
  return ReportErrors([&]() -> int {
    const std::optional<CommandLine> command = ParseCommandLine(argc, argv);
    if (!command) return kSuccess;
    AddContext(DescribeRun(command->options));
    RegisterRows();
    const std::vector<std::string> rows = SelectedRows(*command);
    RegisterRows();
    return RunRows(*command, rows, {});
  });
}
