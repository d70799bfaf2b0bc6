#include "servers/net/wait.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "servers/net/fiber_task.h"

namespace rpycbench::net {
namespace {

using std::chrono::milliseconds;

std::atomic<std::size_t> most_timers{std::numeric_limits<std::size_t>::max()};
std::atomic<std::size_t> timers{0};

// Becomes readable once, when a time has passed. Where there are too many, it has no descriptor.
class Timer {
 public:
  explicit Timer(std::chrono::duration<double> time) {
    if (timers.fetch_add(1) >= most_timers) return;
    descriptor_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (descriptor_ < 0) return;
    // A timer of no time would be one that is off.
    const auto left =
        std::max(std::chrono::ceil<std::chrono::nanoseconds>(time), std::chrono::nanoseconds(1));
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
    when.it_value.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
    ::timerfd_settime(descriptor_, 0, &when, nullptr);
  }
  ~Timer() {
    timers.fetch_sub(1);
    if (descriptor_ < 0) return;
    ForgetDescriptor(descriptor_);
    ::close(descriptor_);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  int descriptor() const { return descriptor_; }
  bool Expired() const {
    std::uint64_t times = 0;
    return ::read(descriptor_, &times, sizeof times) == sizeof times;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

bool InFiber() { return FiberTask::Current() != nullptr; }

bool AwaitDescriptor(int descriptor, short events, milliseconds timeout) {
  FiberTask* task = FiberTask::Current();
  if (task == nullptr) return false;
  return !task->Watch(descriptor, events) || task->Await(timeout);
}

Drained::Drained(int descriptor) {
  const FiberTask* task = FiberTask::Current();
  if (task == nullptr || !task->Watches(descriptor)) return;
  task_ = task;
  wakes_ = task->wakes;
}

// The end of a stream may have been reported together with its last bytes, and is not reported
// again.
bool Drained::StillHolds() const {
  const FiberTask* task = FiberTask::Current();
  return task_ != nullptr && task == task_ && task->wakes == wakes_ &&
         !task->hung_up.load(std::memory_order_relaxed);
}

void ForgetDescriptor(int descriptor) {
  if (FiberTask* task = FiberTask::Current()) task->Forget(descriptor);
}

void YieldIfDue() {
  if (FiberTask* task = FiberTask::Current()) task->YieldIfDue();
}

void Yield() {
  if (FiberTask* task = FiberTask::Current()) task->Yield();
}

int Poll(std::span<pollfd> descriptors, int timeout_ms) {
  FiberTask* task = FiberTask::Current();
  if (task == nullptr) return ::poll(descriptors.data(), descriptors.size(), timeout_ms);
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + milliseconds(timeout_ms);
  for (milliseconds left(timeout_ms);; left = std::chrono::ceil<milliseconds>(end - Clock::now())) {
    const int ready = ::poll(descriptors.data(), descriptors.size(), 0);
    if (ready != 0) {
      task->YieldIfDue();  // a backlog that is always ready would keep all others waiting
      return ready;
    }
    if (timeout_ms >= 0 && left.count() <= 0) return 0;
    for (const pollfd& one : descriptors) {
      if (one.fd >= 0) task->Watch(one.fd, one.events);
    }
    // False alarms don't prolong it.
    task->Await(timeout_ms < 0 ? milliseconds(0) : left);
  }
}

void SleepFor(std::chrono::duration<double> time) {
  FiberTask* task = FiberTask::Current();
  if (task == nullptr || task->sleeps_hold_its_thread()) return std::this_thread::sleep_for(time);
  const Timer timer(time);
  if (timer.descriptor() >= 0) {
    while (!timer.Expired()) AwaitDescriptor(timer.descriptor(), POLLIN, milliseconds(0));
    return;
  }
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::ceil<Clock::duration>(time);
  for (auto left = end - Clock::now(); left.count() > 0; left = end - Clock::now()) {
    task->Await(std::chrono::ceil<milliseconds>(left));
  }
}

void LimitTimers(std::size_t most) { most_timers = most; }

}  // namespace rpycbench::net
