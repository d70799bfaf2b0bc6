// Coroutines of an io_context, for sessions and clients that are written as if they blocked. Where
// such code would wait, its coroutine suspends, and the thread continues with another one. With
// several threads, whichever is free continues a coroutine that is ready. Code in a coroutine must
// not wait while it handles an exception, because the thread's next coroutine would find that
// exception, and must keep nothing that is thread-local. The former is checked.
#pragma once

#include <atomic>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/context/stack_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "servers/net/io_context.h"

namespace rpycbench::net {

class Coroutines;

// A wait that its group ends when its time is over, noticed up to an eighth later (at least 10 ms).
// It is used again and again, and costs no timer of its own.
class TimedWait : public boost::intrusive::list_base_hook<> {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TimedWait(Coroutines& group);
  TimedWait(const TimedWait&) = delete;
  TimedWait& operator=(const TimedWait&) = delete;

 protected:
  virtual ~TimedWait() { Leave(); }
  // The group does not end this wait any more. A derived class calls it before it destroys what
  // Cancel uses. Does nothing the second time, or if the group is gone.
  void Leave();
  // Begins a wait of at most `limit`; zero means for ever.
  void Begin(std::chrono::milliseconds limit);
  bool TimeIsOver() const { return deadline_.load() <= Clock::now(); }
  void End() { deadline_.store(Clock::time_point::max(), std::memory_order_relaxed); }

 private:
  friend class Coroutines;
  // Makes the operation that is waited for fail, if it is not done yet. Any thread may call this.
  virtual void Cancel() = 0;
  // Is called when the group is destroyed before the wait.
  virtual void GroupEnds() = 0;

  Coroutines& group_;
  std::atomic<Clock::duration> tolerance_{};
  std::atomic<Clock::time_point> deadline_{Clock::time_point::max()};
};

// The coroutine that runs the calling code.
class Coroutine {
 public:
  using YieldContext = asio::basic_yield_context<asio::io_context::executor_type>;

  Coroutine(Coroutines& group, const YieldContext& yield) : group_(group), yield_(yield) {}

  // Returns null outside of coroutines. Not inlined, because code that suspends may continue in
  // another thread, whose variable has another address.
  [[gnu::noinline]] static Coroutine* Current();

  Coroutines& group() { return group_; }
  // Suspends until the operation that `start` starts is done. Returns what start(yield) returns.
  template <class Start>
  auto Await(const Start& start) {
    const Suspension suspension(*this);
    return start(yield_);
  }
  // Now and then lets the others continue. A peer that is always ready would keep them waiting.
  void YieldIfDue();

 private:
  class Suspension {
   public:
    explicit Suspension(Coroutine& coroutine);
    ~Suspension();

   private:
    Coroutine& coroutine_;
  };
  friend class Coroutines;
  [[gnu::noinline]] static void SetCurrent(Coroutine* coroutine);

  Coroutines& group_;
  YieldContext yield_;
  unsigned steps_ = 0;  // since it was last suspended
};

class Coroutines {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    // Whether SleepFor blocks the thread, as an operation at work does, or lets others continue.
    bool sleepers_hold_their_thread = false;
    // Whether a socket that has sent something lets others continue before it looks for the answer.
    // With many clients, most answers have then come and need no wait.
    bool others_before_answers = false;
    std::size_t kept_stacks = 64;  // stacks of ended coroutines that the next ones use
  };

  // The coroutines run where `context` is run.
  Coroutines(asio::io_context& context, const Options& options);
  // Closes the sockets that are left. All coroutines must have ended.
  ~Coroutines();
  Coroutines(const Coroutines&) = delete;
  Coroutines& operator=(const Coroutines&) = delete;

  asio::io_context& context() { return context_; }
  const Options& options() const { return options_; }

  // Starts a coroutine, from any thread that may use the context. `body` must let no exception out.
  // Throws std::bad_alloc.
  void Start(std::function<void()> body);

  // Runs the context until all coroutines have ended. No other thread may run it.
  void RunToTheEnd();
  // Does the same for at most `limit`. Returns whether all have ended.
  bool RunToTheEnd(Clock::duration limit);
  // Stops the context as soon as all coroutines have ended.
  void StopAtTheEnd();

 private:
  friend class TimedWait;
  class Stack;

  void Run(const Coroutine::YieldContext& yield, const std::function<void()>& body);
  // Makes sure that waits whose time is over are ended at `when`.
  void LookAt(Clock::time_point when);
  void EndExpiredWaits();
  boost::context::stack_context TakeStack();
  void KeepStack(boost::context::stack_context stack);

  asio::io_context& context_;
  const Options options_;
  std::atomic<std::size_t> live_{0};
  std::atomic<bool> stops_at_the_end_{false};
  std::atomic<Clock::time_point> next_look_{Clock::time_point::max()};
  std::mutex mutex_;  // guards what follows
  asio::steady_timer look_;
  boost::intrusive::list<TimedWait> waits_;
  std::vector<boost::context::stack_context> stacks_;
};

// Lets one coroutine wait for another of the same thread.
class CoroutineSignal {
 public:
  explicit CoroutineSignal(Coroutines& group);
  // Suspends the calling coroutine until Set, or not at all if that came first. One coroutine at a
  // time may wait.
  void Wait();
  void Set();

 private:
  asio::steady_timer never_;
  bool set_ = false;
};

}  // namespace rpycbench::net
