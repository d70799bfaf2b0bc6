#include "servers/net/fiber_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

using std::chrono::milliseconds;

// How often a fiber may find something ready before it lets others go on.
constexpr unsigned kStepsInARow = 32;

[[noreturn]] void Throw(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

std::uint32_t Interest(short events) {
  std::uint32_t interest = EPOLLET | EPOLLRDHUP | EPOLLIN;
  if ((events & POLLOUT) != 0) interest |= EPOLLOUT;
  return interest;
}

// Becomes readable once, when a time has passed.
class Timer {
 public:
  explicit Timer(std::chrono::duration<double> time)
      : descriptor_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (descriptor_ < 0) Throw("make a timer");
    // A timer of no time would be one that is off.
    const auto left =
        std::max(std::chrono::ceil<std::chrono::nanoseconds>(time), std::chrono::nanoseconds(1));
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
    when.it_value.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
    ::timerfd_settime(descriptor_, 0, &when, nullptr);
  }
  ~Timer() {
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
  int descriptor_;
};

}  // namespace

struct FiberLoop::Task {
  // A report finds a task waiting and claims it, or leaves it a note for its next wait.
  enum class State { kIdle, kQueued, kRunning, kNoted, kWaiting };
  struct Watched {
    int descriptor;
    std::uint32_t interest;
  };

  explicit Task(FiberLoop& its_loop) : loop(its_loop) {}

  // Whether the caller may now continue it.
  bool ClaimWaiting() {
    State seen = State::kWaiting;
    return state.compare_exchange_strong(seen, State::kRunning, std::memory_order_acq_rel);
  }
  bool ClaimOrNote() {
    for (State seen = state.load(std::memory_order_acquire);;) {
      if (seen == State::kWaiting) {
        if (state.compare_exchange_weak(seen, State::kRunning)) return true;
      } else if (seen != State::kRunning || state.compare_exchange_weak(seen, State::kNoted)) {
        return false;  // it runs, or is going to, and tries everything anew
      }
    }
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

  FiberLoop& loop;
  std::unique_ptr<Fiber> fiber;
  std::atomic<State> state{State::kIdle};
  std::atomic<Clock::rep> deadline{0};  // of the wait; 0: none
  // Of the thread that runs it.
  bool timed_out = false;
  bool yields = false;
  unsigned steps = 0;
  std::vector<Watched> watched;
};

// The free functions of wait.h on behalf of the fiber that calls them. Thread-local variables are
// read and written out of line only: their addresses must not be kept across a suspension.
class Waiter {
 public:
  using Task = FiberLoop::Task;

  __attribute__((noinline)) static Task* Current() { return current_; }
  __attribute__((noinline)) static void SetCurrent(Task* task) { current_ = task; }

  // For one of the descriptors that the fiber watches.
  static bool Await(Task& task, milliseconds timeout) { return task.loop.Await(task, timeout); }

  // Returns false for what epoll doesn't watch because it is always ready, as a regular file is.
  static bool Watch(Task& task, int descriptor, std::uint32_t interest) {
    const auto found = std::ranges::find(task.watched, descriptor, &Task::Watched::descriptor);
    const bool known = found != task.watched.end();
    if (known && (found->interest | interest) == found->interest) return true;
    epoll_event event{.events = known ? found->interest | interest : interest,
                      .data = {.ptr = &task}};
    const auto control = [&](int operation) {
      return ::epoll_ctl(task.loop.epoll_, operation, descriptor, &event) == 0;
    };
    // Another fiber, which has ended, may have watched it before.
    if (!(known ? control(EPOLL_CTL_MOD)
                : control(EPOLL_CTL_ADD) || (errno == EEXIST && control(EPOLL_CTL_MOD)))) {
      if (errno == EPERM) return false;
      Throw("watch a descriptor");
    }
    if (known) {
      found->interest = event.events;
    } else {
      task.watched.push_back({descriptor, event.events});
    }
    return true;
  }

  static void Forget(Task& task, int descriptor) {
    std::erase_if(task.watched, [&](const auto& one) { return one.descriptor == descriptor; });
  }

  static void YieldIfDue(Task& task) {
    if (++task.steps < kStepsInARow) return;
    task.steps = 0;
    task.yields = true;
    task.fiber->Suspend();
  }

  static bool SleepsHoldThreads(const Task& task) {
    return task.loop.options_.sleepers_hold_their_thread;
  }

 private:
  inline static thread_local Task* current_ = nullptr;
};

FiberLoop::FiberLoop(const Options& options)
    : options_(options),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
  if (epoll_ < 0 || wakeup_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
    Throw("make an event loop");
  }
}

FiberLoop::~FiberLoop() {
  ::close(wakeup_);
  ::close(epoll_);
}

FiberLoop::Task& FiberLoop::IdleTask() {
  const std::scoped_lock lock(mutex_);
  if (idle_.empty()) {
    tasks_.push_back(std::make_unique<Task>(*this));
    idle_.push_back(tasks_.back().get());
  }
  Task& task = *idle_.back();
  if (kept_.empty()) kept_.push_back(std::make_unique<Fiber>());
  task.fiber = std::move(kept_.back());
  kept_.pop_back();
  idle_.pop_back();
  return task;
}

void FiberLoop::Start(std::function<void()> body) {
  Task& task = IdleTask();
  task.fiber->Assign(std::move(body));
  live_.fetch_add(1);
  Enqueue(task);
}

void FiberLoop::Enqueue(Task& task) {
  task.state.store(Task::State::kQueued, std::memory_order_release);
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(&task);
    queued_.fetch_add(1);
  }
  // The thread of a fiber that starts others looks at the queue before it waits again.
  const Task* current = Waiter::Current();
  if (current == nullptr || &current->loop != this) Wake();
}

FiberLoop::Task* FiberLoop::Dequeue() {
  if (queued_.load() == 0) return nullptr;
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return nullptr;
  Task* task = queue_.front();
  queue_.pop_front();
  queued_.fetch_sub(1);
  return task;
}

// Those that are queued meanwhile have to wait for the next round, after the reports.
void FiberLoop::RunQueue() {
  for (std::size_t left = queued_.load(); left > 0; --left) {
    Task* task = Dequeue();
    if (task == nullptr) return;
    task->state.store(Task::State::kRunning, std::memory_order_release);
    Continue(*task);
  }
}

// Of a task that this thread has claimed.
void FiberLoop::Continue(Task& task) {
  for (;;) {
    Waiter::SetCurrent(&task);
    const bool ended = task.fiber->Resume();
    Waiter::SetCurrent(nullptr);
    if (ended) return Retire(task);
    if (std::exchange(task.yields, false)) return Enqueue(task);
    // From here on it may be continued elsewhere, so nothing of it is touched any more.
    Task::State seen = Task::State::kRunning;
    if (task.state.compare_exchange_strong(seen, Task::State::kWaiting)) return;
    task.state.store(Task::State::kRunning);  // a report came while it was about to wait
  }
}

void FiberLoop::Retire(Task& task) {
  task.watched.clear();
  task.deadline.store(0, std::memory_order_relaxed);
  task.steps = 0;
  task.state.store(Task::State::kIdle, std::memory_order_release);
  std::unique_ptr<Fiber> superfluous;
  {
    const std::scoped_lock lock(mutex_);
    if (kept_.size() < options_.kept_fibers) {
      kept_.push_back(std::move(task.fiber));
    } else {
      superfluous = std::move(task.fiber);
    }
    idle_.push_back(&task);
  }
  if (live_.fetch_sub(1) == 1 && stop_at_.load() != 0) Wake();
}

// On the fiber's stack: returns whether there may be something to do, false when time is up.
bool FiberLoop::Await(Task& task, milliseconds timeout) {
  if (task.TakeNote()) return true;
  task.steps = 0;
  task.timed_out = false;
  Clock::rep deadline = 0;
  if (timeout.count() > 0) {
    LimitWaits(timeout);
    deadline = (Clock::now() + timeout).time_since_epoch().count();
  }
  task.deadline.store(deadline, std::memory_order_relaxed);
  task.fiber->Suspend();
  task.deadline.store(0, std::memory_order_relaxed);
  return !task.timed_out;
}

void FiberLoop::LimitWaits(milliseconds timeout) {
  const int wanted = static_cast<int>(std::clamp<std::int64_t>(timeout.count() / 8, 10, 1000));
  int seen = check_ms_.load(std::memory_order_relaxed);
  while (seen == 0 || wanted < seen) {
    if (!check_ms_.compare_exchange_weak(seen, wanted)) continue;
    next_check_.store(0);  // what was planned may be too late
    return Wake();         // and so may be the end of a wait for reports
  }
}

void FiberLoop::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wakeup_, &one, sizeof one);
}

bool FiberLoop::Stopped() const {
  const Clock::rep at = stop_at_.load();
  return at != 0 && (live_.load() == 0 || Clock::now().time_since_epoch().count() >= at);
}

int FiberLoop::WaitLimitMs() const {
  if (queued_.load() > 0) return 0;
  const int check = live_.load() > 0 ? check_ms_.load(std::memory_order_relaxed) : 0;
  const int limit = check > 0 ? check : -1;
  const Clock::rep stop_at = stop_at_.load();
  if (stop_at == 0) return limit;
  const Clock::duration left = Clock::duration(stop_at) - Clock::now().time_since_epoch();
  const auto left_ms = std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(left).count());
  return static_cast<int>(limit < 0 ? left_ms : std::min<std::int64_t>(limit, left_ms));
}

void FiberLoop::ContinueExpired() {
  const int every = check_ms_.load(std::memory_order_relaxed);
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep due = next_check_.load();
  const Clock::rep next = now + Clock::duration(milliseconds(every)).count();
  if (every == 0 || now < due || !next_check_.compare_exchange_strong(due, next)) return;
  std::vector<Task*> claimed;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& task : tasks_) {
      if (task->Expired(now) && task->ClaimWaiting()) claimed.push_back(task.get());
    }
  }
  for (Task* task : claimed) {
    // It may have begun another wait between the look and the claim.
    task->timed_out = task->Expired(now);
    Continue(*task);
  }
}

void FiberLoop::RunReported(std::vector<epoll_event>& reports) {
  const int count =
      ::epoll_wait(epoll_, reports.data(), static_cast<int>(reports.size()), WaitLimitMs());
  if (count < 0 && errno != EINTR) Throw("epoll_wait");
  for (int i = 0; i < count; ++i) {
    Task* task = static_cast<Task*>(reports[static_cast<std::size_t>(i)].data.ptr);
    if (task != nullptr && task->ClaimOrNote()) Continue(*task);
  }
  ContinueExpired();
}

bool FiberLoop::Run() {
  std::vector<epoll_event> reports(options_.reports_at_once);
  while (!Stopped()) {
    RunQueue();
    RunReported(reports);
  }
  Wake();  // the next thread sees the end as well
  return live_.load() == 0;
}

void FiberLoop::RunToTheEnd() {
  std::vector<epoll_event> reports(options_.reports_at_once);
  for (;;) {
    RunQueue();
    if (live_.load() == 0) return;  // nothing will be reported any more
    RunReported(reports);
  }
}

void FiberLoop::Stop(milliseconds limit) {
  stop_at_.store((Clock::now() + limit).time_since_epoch().count());
  Wake();
}

bool InFiber() { return Waiter::Current() != nullptr; }

bool AwaitDescriptor(int descriptor, short events, milliseconds timeout) {
  auto* task = Waiter::Current();
  if (task == nullptr) return false;
  return !Waiter::Watch(*task, descriptor, Interest(events)) || Waiter::Await(*task, timeout);
}

void ForgetDescriptor(int descriptor) {
  if (auto* task = Waiter::Current()) Waiter::Forget(*task, descriptor);
}

void YieldIfDue() {
  if (auto* task = Waiter::Current()) Waiter::YieldIfDue(*task);
}

int Poll(std::span<pollfd> descriptors, int timeout_ms) {
  auto* task = Waiter::Current();
  if (task == nullptr) return ::poll(descriptors.data(), descriptors.size(), timeout_ms);
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + milliseconds(timeout_ms);
  for (milliseconds left(timeout_ms);; left = std::chrono::ceil<milliseconds>(end - Clock::now())) {
    const int ready = ::poll(descriptors.data(), descriptors.size(), 0);
    if (ready != 0) return ready;
    if (timeout_ms >= 0 && left.count() <= 0) return 0;
    for (const pollfd& one : descriptors) {
      Waiter::Watch(*task, one.fd, Interest(one.events));
    }
    // False alarms don't prolong it.
    Waiter::Await(*task, timeout_ms < 0 ? milliseconds(0) : left);
  }
}

void SleepFor(std::chrono::duration<double> time) {
  auto* task = Waiter::Current();
  if (task == nullptr || Waiter::SleepsHoldThreads(*task)) return std::this_thread::sleep_for(time);
  const Timer timer(time);
  while (!timer.Expired()) AwaitDescriptor(timer.descriptor(), POLLIN, milliseconds(0));
}

}  // namespace rpycbench::net
