#include "servers/net/fiber_task.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace rpycbench::net {
namespace {

// How often a fiber may find something ready before it lets others go on.
constexpr unsigned kStepsInARow = 32;

thread_local FiberTask* current = nullptr;

std::uint32_t Interest(short events) {
  std::uint32_t interest = EPOLLET | EPOLLRDHUP | EPOLLIN;
  if ((events & POLLOUT) != 0) interest |= EPOLLOUT;
  return interest;
}

// Classic algorithms take it, because Clang 14 does not see a range in a container of Boost's.
auto Of(int descriptor) {
  return [descriptor](const auto& watched) { return watched.descriptor == descriptor; };
}

}  // namespace

FiberTask* FiberTask::Current() { return current; }

void FiberTask::SetCurrent(FiberTask* task) { current = task; }

bool FiberTask::Watch(int descriptor, short events) {
  const std::uint32_t wanted = Interest(events);
  const auto found = std::find_if(watched.begin(), watched.end(), Of(descriptor));
  const bool known = found != watched.end();
  if (known && (found->interest | wanted) == found->interest) return true;
  epoll_event event{.events = known ? found->interest | wanted : wanted, .data = {.ptr = this}};
  const auto control = [&](int operation) {
    return ::epoll_ctl(loop.epoll_, operation, descriptor, &event) == 0;
  };
  // Another fiber, which has ended, may have watched it before.
  if (!(known ? control(EPOLL_CTL_MOD)
              : control(EPOLL_CTL_ADD) || (errno == EEXIST && control(EPOLL_CTL_MOD)))) {
    if (errno == EPERM) return false;
    throw std::system_error(errno, std::system_category(), "watch a descriptor");
  }
  if (known) {
    found->interest = event.events;
  } else {
    watched.push_back({descriptor, event.events});
  }
  return true;
}

bool FiberTask::Watches(int descriptor) const {
  return std::any_of(watched.begin(), watched.end(), Of(descriptor));
}

void FiberTask::Forget(int descriptor) {
  watched.erase(std::remove_if(watched.begin(), watched.end(), Of(descriptor)), watched.end());
}

bool FiberTask::Await(std::chrono::milliseconds timeout) {
  ++wakes;
  if (TakeNote()) return true;
  steps = 0;
  timed_out = false;
  Clock::rep limit = 0;
  if (timeout.count() > 0) {
    loop.LimitWaits(timeout);
    limit = (Clock::now() + timeout).time_since_epoch().count();
  }
  deadline.store(limit, std::memory_order_relaxed);
  suspended_at.store(static_cast<const char*>(__builtin_frame_address(0)),
                     std::memory_order_relaxed);
  fiber->Suspend();
  deadline.store(0, std::memory_order_relaxed);
  return !timed_out;
}

void FiberTask::YieldIfDue() {
  if (++steps >= kStepsInARow) Yield();
}

void FiberTask::Yield() {
  steps = 0;
  yields = true;
  fiber->Suspend();
}

void FiberTask::PrefetchStack() const {
  // Some frames of callers above the place where it suspended, registers below it.
  constexpr int kLineBytes = 64;
  constexpr int kLinesBelow = 3;
  constexpr int kLinesAbove = 12;
  const char* const place = suspended_at.load(std::memory_order_relaxed);
  if (place == nullptr) return;
  for (int line = -kLinesBelow; line < kLinesAbove; ++line) {
    __builtin_prefetch(place + line * kLineBytes, 1);
  }
}

bool FiberTask::sleeps_hold_its_thread() const { return loop.options_.sleepers_hold_their_thread; }

}  // namespace rpycbench::net
