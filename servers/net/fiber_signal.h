// Lets one fiber wait for another of the same loop. For loops that one thread runs: neither side
// takes a lock or a system call, so that handing on work costs next to nothing.
#pragma once

namespace rpycbench::net {

struct FiberTask;

class FiberSignal {
 public:
  // Suspends the calling fiber until Set; returns at once if that came first. One fiber at a time.
  void Wait();
  // To be called from another fiber of the loop. The waiting one goes on when this one suspends.
  void Set();

 private:
  FiberTask* waiting_ = nullptr;
  bool set_ = false;
};

}  // namespace rpycbench::net
