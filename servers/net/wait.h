// Waiting in code that runs in a thread of its own as well as in a coroutine: a thread blocks, a
// coroutine suspends and lets others continue. Sockets do so by themselves.
#pragma once

#include <chrono>

namespace rpycbench::net {

// Whether the caller may wait: not while it handles an exception, or objects are destroyed because
// of one. The next coroutine of the thread would find that exception. Threads may always wait.
bool MayWait();

// Waits for `time`. In a coroutine whose operations hold their thread, the thread waits.
void SleepFor(std::chrono::duration<double> time);

// Lets the other coroutines continue. The thread also looks for ready sockets, without waiting for
// any. A client of many that does this between a reply and its next request lets all receive before
// all send, which costs the kernel less. Does nothing in a thread.
void Yield();

}  // namespace rpycbench::net
