#include "servers/net/fiber_signal.h"

#include <utility>

#include "servers/net/fiber_task.h"

namespace rpycbench::net {

void FiberSignal::Wait() {
  waiting_ = FiberTask::Current();
  // Late reports of a descriptor end a wait as well.
  while (!std::exchange(set_, false)) waiting_->Await(std::chrono::milliseconds(0));
  waiting_ = nullptr;
}

void FiberSignal::Set() {
  set_ = true;
  if (waiting_ != nullptr && waiting_->ClaimOrNote()) waiting_->loop.Enqueue(*waiting_);
}

}  // namespace rpycbench::net
