#include "servers/net/fiber_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "servers/net/fiber_task.h"

namespace rpycbench::net {
namespace {

using std::chrono::milliseconds;

constexpr int kPrefetchDistance = 1;  // in reports

// How often to look for the end of a wait that is so long, in ms.
int CheckEvery(milliseconds wait) {
  return static_cast<int>(std::clamp<std::int64_t>(wait.count() / 8, 10, 1000));
}

[[noreturn]] void Throw(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

}  // namespace

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

FiberTask& FiberLoop::IdleTask() {
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
  task.state.store(Task::State::kQueued, std::memory_order_release);
  live_.fetch_add(1);
  Enqueue(task);
}

void FiberLoop::Enqueue(Task& task) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(&task);
    queued_.fetch_add(1);
  }
  // The thread of a fiber that starts others looks at the queue before it waits again.
  const Task* current = Task::Current();
  if (current == nullptr || &current->loop != this) Wake();
}

FiberTask* FiberLoop::Dequeue() {
  if (queued_.load() == 0) return nullptr;
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return nullptr;
  Task* task = queue_.front();
  queue_.pop_front();
  queued_.fetch_sub(1);
  if (!queue_.empty()) queue_.front()->PrefetchStack();
  return task;
}

// Those that are queued meanwhile have to wait for the next round, after the reports.
void FiberLoop::RunQueue() {
  for (std::size_t left = queued_.load(); left > 0; --left) {
    Task* task = Dequeue();
    if (task == nullptr) return;
    task->MarkDequeued();
    Continue(*task);
  }
}

// Of a task that this thread has claimed.
void FiberLoop::Continue(Task& task) {
  // It may hold this thread, and whoever put others into the queue may have woken no more than one.
  if (options_.sleepers_hold_their_thread && queued_.load() > 0) Wake();
  for (;;) {
    Task::SetCurrent(&task);
    const bool ended = task.fiber->Resume();
    const bool yields = !ended && std::exchange(task.yields, false);
    if (yields) {
      task.MarkQueued();
      // As its own, so that no thread is woken: this one looks at the queue before it waits again.
      Enqueue(task);
    }
    Task::SetCurrent(nullptr);
    if (yields) return;
    if (ended) return Retire(task);
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
  ++task.wakes;
  task.hung_up.store(false, std::memory_order_relaxed);
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

void FiberLoop::LimitWaits(milliseconds timeout) {
  const int wanted = CheckEvery(timeout);
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
  int every = check_ms_.load(std::memory_order_relaxed);
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep due = next_check_.load();
  const Clock::rep next = now + Clock::duration(milliseconds(every)).count();
  if (every == 0 || now < due || !next_check_.compare_exchange_strong(due, next)) return;
  std::vector<Task*> claimed;
  Clock::duration shortest = Clock::duration::max();  // of what is left of the others' waits
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& task : tasks_) {
      const Clock::rep deadline = task->deadline.load(std::memory_order_relaxed);
      if (deadline == 0) continue;
      if (deadline > now) {
        shortest = std::min(shortest, Clock::duration(deadline - now));
      } else if (task->ClaimWaiting()) {
        claimed.push_back(task.get());
      }
    }
  }
  // As seldom as those need it who still wait. One that began meanwhile may be late by that much,
  // so it is never for ever.
  check_ms_.compare_exchange_strong(every,
                                    CheckEvery(std::chrono::duration_cast<milliseconds>(shortest)));
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
  const auto task_of = [&](int i) {
    return i < count ? static_cast<Task*>(reports[static_cast<std::size_t>(i)].data.ptr) : nullptr;
  };
  for (int i = 0; i < count; ++i) {
    // Of thousands of fibers the next one is in no cache.
    if (const Task* later = task_of(i + 2 * kPrefetchDistance)) __builtin_prefetch(later, 1);
    if (const Task* later = task_of(i + kPrefetchDistance)) later->PrefetchStack();
    const epoll_event& report = reports[static_cast<std::size_t>(i)];
    Task* task = task_of(i);
    if (task == nullptr) continue;
    if ((report.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
      task->hung_up.store(true, std::memory_order_relaxed);
    }
    if (task->ClaimOrNote()) Continue(*task);
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

}  // namespace rpycbench::net
