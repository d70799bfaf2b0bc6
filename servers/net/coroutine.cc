#include "servers/net/coroutine.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

// Nested requests and values at their highest limits need so much stack. Only pages that are used
// take memory, and a page without access stops an overflow. Sanitizers make frames several times as
// large. They remember the frames of a stack until its memory is freed.
#if defined(RPYCBENCH_SANITIZED)
constexpr std::size_t kStackBytes = 8 << 20;
constexpr bool kKeepStacks = false;
using NewStack = boost::context::fixedsize_stack;
#else
constexpr std::size_t kStackBytes = 1 << 20;
constexpr bool kKeepStacks = true;
using NewStack = boost::context::protected_fixedsize_stack;
#endif

// How often a coroutine may find something ready before it lets others continue.
constexpr unsigned kStepsInARow = 32;

thread_local Coroutine* current = nullptr;

void Prefetch(const char* from, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  for (std::size_t at = 0; at < bytes; at += kCacheLine) __builtin_prefetch(from + at);
}

}  // namespace

// A stack allocator that takes kept stacks.
class Coroutine::Stack {
 public:
  explicit Stack(Coroutines& group) : group_(&group) {}
  boost::context::stack_context allocate() const { return group_->TakeStack(); }
  void deallocate(boost::context::stack_context& stack) const noexcept { group_->KeepStack(stack); }

 private:
  Coroutines* group_;
};

Coroutine::Coroutine(Coroutines& group, std::function<void()> body)
    : group_(group),
      body_(std::move(body)),
      fiber_(std::allocator_arg, Stack(group), [this](Fiber&& resumer) {
        resumer_ = std::move(resumer);
        body_();
        return std::move(resumer_);
      }) {}

Coroutine* Coroutine::Current() { return current; }

void Coroutine::Suspend() {
  if (!MayWait()) {
    std::fputs("a coroutine waits while it handles an exception\n", stderr);
    std::abort();
  }
  steps_ = 0;
  frame_ = static_cast<const char*>(__builtin_frame_address(0));
  resumer_ = std::move(resumer_).resume();
}

// Thousands of coroutines do not fit the processor's caches. A thread continues them in nearly the
// same order each time, so it fetches the next one while this one runs.
void Coroutine::PrefetchNext() {
  if (next_frame_ != nullptr) {
    Prefetch(next_, sizeof *this);
    // What it saved when it suspended lies below its frame, and its callers' frames lie above.
    Prefetch(next_frame_ - 128, 512);
  }
  if (Coroutine* const last = std::exchange(group_.last_continued_, this)) {
    last->next_ = reinterpret_cast<const char*>(this);
    last->next_frame_ = frame_;
  }
}

void Coroutine::Resume() {
  if (group_.one_thread_) PrefetchNext();
  current = this;
  Fiber suspended = std::move(fiber_).resume();
  current = nullptr;
  if (suspended) {
    fiber_ = std::move(suspended);
    return start_(function_, Continue(*this));
  }
  Coroutines& group = group_;
  if (group.last_continued_ == this) group.last_continued_ = nullptr;
  delete this;
  group.Ended();
}

void Coroutine::YieldIfDue() {
  if (++steps_ >= kStepsInARow && MayWait()) net::Yield();
}

Coroutines::Coroutines(asio::io_context& context, const Options& options)
    : context_(context), options_(options), look_(context) {
  stacks_.reserve(options.kept_stacks);  // they are given back where nothing may fail
}

Coroutines::Coroutines(OneThreadContext& context, const Options& options)
    : Coroutines(static_cast<asio::io_context&>(context), options) {
  one_thread_ = true;
}

Coroutines::~Coroutines() {
  while (!waits_.empty()) {
    TimedWait& wait = waits_.front();
    waits_.pop_front();
    wait.in_group_ = false;
    wait.GroupEnds();
  }
  for (auto& stack : stacks_) {
    NewStack(kStackBytes).deallocate(stack);
  }
}

boost::context::stack_context Coroutines::TakeStack() {
  const std::scoped_lock lock(mutex_);
  if (stacks_.empty()) return NewStack(kStackBytes).allocate();
  const auto stack = stacks_.back();
  stacks_.pop_back();
  return stack;
}

void Coroutines::KeepStack(boost::context::stack_context stack) {
  const std::scoped_lock lock(mutex_);
  if (kKeepStacks && stacks_.size() < options_.kept_stacks) return stacks_.push_back(stack);
  NewStack(kStackBytes).deallocate(stack);
}

void Coroutines::Start(std::function<void()> body) {
  std::unique_ptr<Coroutine> coroutine(new Coroutine(*this, std::move(body)));
  live_.fetch_add(1);
  // Not at once, because that would hold up the coroutine that starts it.
  asio::post(context_,
             [coroutine = std::move(coroutine)]() mutable { coroutine.release()->Resume(); });
}

void Coroutines::Ended() {
  if (live_.fetch_sub(1) == 1 && stops_at_the_end_) context_.stop();
}

void Coroutines::StopAtTheEnd() {
  stops_at_the_end_ = true;
  if (live_ == 0) context_.stop();
}

void Coroutines::RunToTheEnd() {
  context_.restart();
  StopAtTheEnd();
  context_.run();
}

bool Coroutines::RunToTheEnd(Clock::duration limit) {
  context_.restart();
  StopAtTheEnd();
  context_.run_for(limit);
  return live_ == 0;
}

TimedWait::TimedWait(Coroutines& group) : group_(group) {
  const std::scoped_lock lock(group_.mutex_);
  group_.waits_.push_back(*this);
}

void TimedWait::Leave() {
  if (!std::exchange(in_group_, false)) return;
  const std::scoped_lock lock(group_.mutex_);
  group_.waits_.erase(group_.waits_.iterator_to(*this));
}

void TimedWait::Begin(std::chrono::milliseconds limit) {
  if (limit.count() == 0) return;
  const auto deadline = Clock::now() + limit;
  const auto tolerance = std::max(limit / 8, std::chrono::milliseconds(10));
  tolerance_.store(tolerance, std::memory_order_relaxed);
  deadline_ = deadline;
  group_.LookAt(deadline + tolerance);
}

void Coroutines::LookAt(Clock::time_point when) {
  if (when >= next_look_.load()) return;
  const std::scoped_lock lock(mutex_);
  if (when >= next_look_.load()) return;
  next_look_ = when;
  look_.expires_at(when);
  look_.async_wait([this](const boost::system::error_code& error) {
    if (!error) EndExpiredWaits();
  });
}

void Coroutines::EndExpiredWaits() {
  auto next = Clock::time_point::max();
  {
    const std::scoped_lock lock(mutex_);
    next_look_ = Clock::time_point::max();
    const auto now = Clock::now();
    for (TimedWait& wait : waits_) {
      const auto deadline = wait.deadline_.load();
      if (deadline <= now) {
        wait.Cancel();
      } else if (deadline != Clock::time_point::max()) {
        next = std::min(next, deadline + wait.tolerance_.load(std::memory_order_relaxed));
      }
    }
  }
  LookAt(next);
}

CoroutineSignal::CoroutineSignal(Coroutines& group)
    : never_(group.context(), asio::steady_timer::time_point::max()) {}

void CoroutineSignal::Wait() {
  if (!set_) {
    Coroutine::Current()->Await([&](Coroutine::Continue done) { never_.async_wait(done); });
  }
  set_ = false;
}

void CoroutineSignal::Set() {
  set_ = true;
  never_.cancel();
}

bool MayWait() {
  if (Coroutine::Current() == nullptr) return true;
  return std::uncaught_exceptions() == 0 && !std::current_exception();
}

void Yield() {
  Coroutine* coroutine = Coroutine::Current();
  if (coroutine == nullptr) return;
  coroutine->Await(
      [&](Coroutine::Continue done) { asio::post(coroutine->group().context(), done); });
}

void SleepFor(std::chrono::duration<double> time) {
  Coroutine* coroutine = Coroutine::Current();
  if (coroutine == nullptr || coroutine->group().options().sleepers_hold_their_thread) {
    return std::this_thread::sleep_for(time);
  }
  using Clock = Coroutines::Clock;
  asio::steady_timer timer(coroutine->group().context(), std::chrono::ceil<Clock::duration>(time));
  coroutine->Await([&](Coroutine::Continue done) { timer.async_wait(done); });
}

}  // namespace rpycbench::net
