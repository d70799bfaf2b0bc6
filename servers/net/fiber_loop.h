// Runs many fibers on one thread or a few. A fiber that would block suspends until epoll reports
// its descriptor. Descriptors are watched edge by edge, so that a wait takes no system call of its
// own: under load one epoll_wait serves many fibers.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "servers/net/fiber.h"

namespace rpycbench::net {

struct FiberTask;  // see fiber_task.h

class FiberLoop {
 public:
  struct Options {
    // Whether SleepFor blocks the thread, as an operation at work does, or lets other fibers go on.
    bool sleepers_hold_their_thread = false;
    // How many reports a thread takes from epoll at once. Many save system calls; but they wait for
    // each other, while another thread may be free.
    std::size_t reports_at_once = 256;
    // Fibers that have ended and keep their stacks for the next ones.
    std::size_t kept_fibers = 64;
  };

  // Throws std::system_error.
  explicit FiberLoop(const Options& options);
  // To be called when every Run has returned true.
  ~FiberLoop();
  FiberLoop(const FiberLoop&) = delete;
  FiberLoop& operator=(const FiberLoop&) = delete;

  // Starts a fiber, from any thread or fiber. The body must let no exception out.
  // Throws std::bad_alloc.
  void Start(std::function<void()> body);

  // Runs fibers, beside other threads that do so, until the loop is stopped. Returns whether all
  // fibers have ended. Throws std::system_error.
  bool Run();
  // Runs fibers until all have ended; no other thread runs this loop. Throws std::system_error.
  void RunToTheEnd();
  // Makes every Run return when all fibers have ended, or after `limit` if some have not.
  void Stop(std::chrono::milliseconds limit);

 private:
  friend struct FiberTask;  // which waits on behalf of its fiber
  friend class FiberSignal;
  using Clock = std::chrono::steady_clock;
  using Task = FiberTask;

  Task& IdleTask();
  void Enqueue(Task& task);
  Task* Dequeue();
  void RunQueue();
  void RunReported(std::vector<epoll_event>& reports);
  void Continue(Task& task);
  void Retire(Task& task);
  void Wake();
  int WaitLimitMs() const;
  void LimitWaits(std::chrono::milliseconds timeout);
  void ContinueExpired();
  bool Stopped() const;

  Options options_;
  int epoll_ = -1;
  int wakeup_ = -1;  // an eventfd that ends a thread's wait for reports
  std::mutex mutex_;
  std::vector<std::unique_ptr<Task>> tasks_;  // kept, for a late report may name one that has ended
  std::vector<Task*> idle_;
  std::vector<std::unique_ptr<Fiber>> kept_;  // for the next ones to start
  std::deque<Task*> queue_;                   // can go on without a report
  std::atomic<std::size_t> queued_{0};
  std::atomic<std::size_t> live_{0};
  std::atomic<int> check_ms_{0};  // how often to look for expired waits; 0: none has a limit
  std::atomic<Clock::rep> next_check_{0};
  std::atomic<Clock::rep> stop_at_{0};  // 0: not told to stop
};

}  // namespace rpycbench::net
