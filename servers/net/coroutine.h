// Coroutines of an io_context, for sessions and clients that are written as if they blocked. Where
// such code would wait, its coroutine suspends, and the thread continues with another one. With
// several threads, whichever is free continues a coroutine that is ready. Code in a coroutine must
// not wait while it handles an exception, because the thread's next coroutine would find that
// exception, and must keep nothing that is thread-local. The former is checked.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/context/fiber.hpp>
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
  bool in_group_ = true;  // unlike is_linked(), not written for the sake of others in the list
  std::atomic<Clock::duration> tolerance_{};
  std::atomic<Clock::time_point> deadline_{Clock::time_point::max()};
};

// A session or client that is written as if it blocked. Coroutines starts it.
class Coroutine {
 public:
  // What an asynchronous operation reports.
  struct Result {
    boost::system::error_code error;
    std::size_t bytes = 0;
  };

  // The handler of an operation that a coroutine waits for. It continues the coroutine.
  class Continue {
   public:
    explicit Continue(Coroutine& coroutine) : coroutine_(&coroutine) {}
    void operator()(const boost::system::error_code& error = {}, std::size_t bytes = 0) const {
      coroutine_->result_ = {error, bytes};
      coroutine_->Resume();
    }

   private:
    Coroutine* coroutine_;
  };

  // Returns the coroutine that runs the calling code, or null outside of coroutines. Not inlined,
  // because code that suspends may continue in another thread, whose variable has another address.
  [[gnu::noinline]] static Coroutine* Current();

  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  Coroutines& group() { return group_; }
  // Suspends the coroutine until the operation is done that `start`, a function of a Continue,
  // starts. Returns what the operation reports.
  template <class Start>
  Result Await(const Start& start) {
    start_ = [](const void* function, Continue done) {
      (*static_cast<const Start*>(function))(done);
    };
    function_ = &start;
    Suspend();
    return result_;
  }
  // Now and then lets the others continue. A peer that is always ready would keep them waiting.
  void YieldIfDue();

 private:
  friend class Coroutines;
  using Fiber = boost::context::fiber;
  class Stack;

  Coroutine(Coroutines& group, std::function<void()> body);
  void Suspend();
  // Runs the coroutine until it suspends, and starts the operation that it waits for. Only then,
  // because another thread may continue it as soon as that is started. Destroys it if it has ended.
  void Resume();
  void PrefetchNext();

  Coroutines& group_;
  std::function<void()> body_;
  Fiber fiber_;    // of this coroutine while it is suspended
  Fiber resumer_;  // of whoever continued it, otherwise
  void (*start_)(const void* function, Continue done) = nullptr;
  const void* function_ = nullptr;
  Result result_;
  unsigned steps_ = 0;  // since it was last suspended
  // The frame in which this one was last suspended, and the next one that its thread continued then
  // with its frame. They are only addresses to prefetch, and may be out of date.
  const char* frame_ = nullptr;
  const char* next_ = nullptr;
  const char* next_frame_ = nullptr;
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
  Coroutines(OneThreadContext& context, const Options& options);
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
  friend class Coroutine;
  friend class TimedWait;

  void Ended();
  // Makes sure that waits whose time is over are ended at `when`.
  void LookAt(Clock::time_point when);
  void EndExpiredWaits();
  boost::context::stack_context TakeStack();
  void KeepStack(boost::context::stack_context stack);

  asio::io_context& context_;
  const Options options_;
  bool one_thread_ = false;
  Coroutine* last_continued_ = nullptr;  // if there is one thread
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
