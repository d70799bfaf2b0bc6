// A fiber as its loop sees it: what it waits for, and who may go on with it. Reports of epoll,
// limits of time and the fiber itself come from different threads and meet in one state. For the
// loop and for wait.h; others use these.
#pragma once

#include <atomic>
#include <boost/container/small_vector.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "servers/net/fiber.h"
#include "servers/net/fiber_loop.h"

namespace rpycbench::net {

struct FiberTask {
  using Clock = std::chrono::steady_clock;

  // A report finds a task waiting and claims it, or leaves it a note.
  enum class State { kIdle, kQueued, kQueuedNoted, kRunning, kNoted, kWaiting };
  struct Watched {
    int descriptor;
    std::uint32_t interest;
  };

  explicit FiberTask(FiberLoop& its_loop) : loop(its_loop) {}

  // Whether the caller may now continue it.
  bool ClaimWaiting() {
    State seen = State::kWaiting;
    return state.compare_exchange_strong(seen, State::kRunning, std::memory_order_acq_rel);
  }
  bool ClaimOrNote() {
    for (State seen = state.load(std::memory_order_acquire);;) {
      switch (seen) {
        case State::kWaiting:
          if (state.compare_exchange_weak(seen, State::kRunning)) return true;
          break;
        case State::kRunning:
          if (state.compare_exchange_weak(seen, State::kNoted)) return false;
          break;
        case State::kQueued:
          if (state.compare_exchange_weak(seen, State::kQueuedNoted)) return false;
          break;
        default:
          return false;  // it has ended, or has a note already
      }
    }
  }
  // Of a task that runs and is going to be queued: a note goes along.
  void MarkQueued() {
    State seen = State::kRunning;
    if (!state.compare_exchange_strong(seen, State::kQueued)) state.store(State::kQueuedNoted);
  }
  // Of a task taken from the queue. It has no wait to find the note; it tries everything anew.
  void MarkDequeued() {
    if (state.exchange(State::kRunning) == State::kQueuedNoted) ++wakes;
  }
  // Whether a report came in while it ran; takes the note.
  bool TakeNote() {
    State seen = State::kNoted;
    return state.compare_exchange_strong(seen, State::kRunning, std::memory_order_acq_rel);
  }
  bool Expired(Clock::rep now) const {
    const Clock::rep limit = deadline.load(std::memory_order_relaxed);
    return limit != 0 && limit <= now;
  }

  // The task whose fiber the calling thread runs, or null. Out of line, as the addresses of
  // thread-local variables must not be kept across a suspension.
  [[gnu::noinline]] static FiberTask* Current();
  [[gnu::noinline]] static void SetCurrent(FiberTask* task);

  // What follows is for the fiber itself.

  // Has the loop report when the descriptor becomes ready for `events` (POLLIN, POLLOUT). Returns
  // false for what epoll doesn't watch because it is always ready, as a regular file is.
  // Throws std::system_error. Out of line for the sake of errno, which is thread-local as well.
  [[gnu::noinline]] bool Watch(int descriptor, short events);
  bool Watches(int descriptor) const;
  void Forget(int descriptor);
  // Suspends until one of the watched may be ready, and returns true; false when `timeout` has
  // passed, zero for none.
  bool Await(std::chrono::milliseconds timeout);
  void YieldIfDue();
  void Yield();
  // For any thread: has the CPU fetch the part of its stack that the fiber is going to use first.
  // The task itself must be in the cache.
  void PrefetchStack() const;
  bool sleeps_hold_its_thread() const;

  FiberLoop& loop;
  std::unique_ptr<Fiber> fiber;
  std::atomic<State> state{State::kIdle};
  std::atomic<Clock::rep> deadline{0};             // of the wait; 0: none
  std::atomic<const char*> suspended_at{nullptr};  // where on its stack; maybe long ago
  std::atomic<bool> hung_up{false};                // whether a report told of an end or an error
  // Of the thread that runs it.
  bool timed_out = false;
  bool yields = false;
  unsigned steps = 0;
  // How often it may have been told of a report.
  std::uint64_t wakes = 0;
  boost::container::small_vector<Watched, 2> watched;
};

}  // namespace rpycbench::net
