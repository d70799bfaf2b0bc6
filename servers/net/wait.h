// Waiting as it has to be done in code that runs in a thread of its own as well as in a fiber: a
// thread blocks, a fiber suspends and lets others go on. Sockets wait so by themselves.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rpycbench::net {

// Whether the caller runs in a fiber of a FiberLoop.
bool InFiber();

// Suspends the fiber until the non-blocking descriptor may have become ready for `events` (POLLIN,
// POLLOUT) and returns true. It may be a false alarm: callers try, and wait again. Returns false
// when `timeout` has passed, noticed up to an eighth later (at least 10 ms); zero waits for ever.
// Returns false at once in a thread, where descriptors block by themselves.
// Throws std::system_error if the descriptor can't be watched.
bool AwaitDescriptor(int descriptor, short events, std::chrono::milliseconds timeout);

// What a fiber knows of a stream that it has just read all of: there is nothing more to read, until
// a report says so.
class Drained {
 public:
  Drained() = default;
  // Of the calling fiber. Knows nothing if no reports of the descriptor come yet.
  explicit Drained(int descriptor);
  // Whether nothing can have been reported to the calling fiber since then: to read would be in
  // vain, and to wait first cannot miss anything.
  bool StillHolds() const;

 private:
  const void* task_ = nullptr;
  std::uint64_t wakes_ = 0;
};

// To be called before a descriptor is closed that this fiber may have waited for.
void ForgetDescriptor(int descriptor);

// Now and then lets the other fibers go on. To be called whenever something was ready without a
// wait: a peer that always is would keep all others waiting.
void YieldIfDue();

// Lets the other fibers go on, and the loop look for reports without waiting for any: as long as a
// fiber does this again and again, the loop's thread does not sleep. A client of many that does it
// between a reply and the next request lets all receive before all send, which costs the kernel
// less. In a thread, nothing.
void Yield();

// poll(2), which passes negative descriptors over. A negative timeout waits for ever.
int Poll(std::span<pollfd> descriptors, int timeout_ms);

// A fiber takes a timer of the kernel's for it, which is a descriptor; where it gets none, it may
// be woken up to an eighth later, at least 10 ms.
void SleepFor(std::chrono::duration<double> time);

// How many fibers of this process may have such a timer at once, so that others can use what is
// left of its descriptors.
void LimitTimers(std::size_t most);

}  // namespace rpycbench::net
