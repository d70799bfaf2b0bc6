#include "bench/load/client_threads.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

namespace rpycbench {
namespace {

// Connects to nothing, and counts the clients' threads by the CPU on which they have to run.
class CountedCpus {
 public:
  template <class Call>
  std::optional<Samples::Clock::duration> Connect(std::size_t, const Call&) {
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    const std::lock_guard lock(mutex_);
    if (CPU_COUNT(&cpus) == 1) {
      int cpu = 0;
      while (!CPU_ISSET(cpu, &cpus)) ++cpu;
      ++threads_[cpu];
    }
    return std::nullopt;
  }
  template <class Call>
  void With(std::size_t, const Call& call) {
    call();
  }
  void CloseAll() {}

  const std::map<int, int>& threads() const { return threads_; }

 private:
  std::mutex mutex_;
  std::map<int, int> threads_;
};

TEST(ClientThreadsTest, ThreadsAreSpreadEvenlyOverTheCpus) {
  const cpu_set_t cpus = PlanCpus(Placement::kFree).client;
  const auto count = static_cast<std::size_t>(CPU_COUNT(&cpus));
  CountedCpus source;
  const auto call = [] {};
  ClientThreads<CountedCpus, decltype(call)> clients(3 * count, 1, source, call, cpus);
  clients.Connect();
  EXPECT_EQ(source.threads().size(), count);
  for (const auto& [cpu, threads] : source.threads()) {
    EXPECT_TRUE(CPU_ISSET(cpu, &cpus)) << cpu;
    EXPECT_EQ(threads, 3) << cpu;
  }
}

}  // namespace
}  // namespace rpycbench
