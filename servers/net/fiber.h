// A fiber: a call stack of its own that a thread runs until it suspends itself, and that any thread
// may go on with later. Code written for a thread of its own runs in one unchanged, also where it
// suspends within a catch block. AddressSanitizer and ThreadSanitizer are told of every switch.
// Boost.Context makes and switches the stacks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace rpycbench::net {

class Fiber {
 public:
  // Reserves a stack, of which only the pages that get used occupy memory; a page behind its end
  // stops an overflow. Throws std::bad_alloc.
  Fiber();
  // It must not be in the middle of a body.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Gives an idle fiber its next body, which must let no exception out.
  void Assign(std::function<void()> body);
  // Runs the body until it suspends or ends. Returns whether it has ended; the fiber is idle then.
  // One thread at a time.
  bool Resume();
  // Called by the body: lets the Resume that runs it return, and returns with the next one, maybe
  // on another thread. What is thread-local must not be kept across this.
  void Suspend();

 private:
  class Context;
  std::unique_ptr<Context> context_;
};

}  // namespace rpycbench::net
