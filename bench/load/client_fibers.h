// The clients of client_load.h, each a fiber, all on the thread that measures. Without a thread a
// client for the kernel to switch to, thousands of connections can be driven, and what is seen is
// more the server's cost of them than the clients'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/load/client_load.h"
#include "servers/net/fiber_loop.h"

namespace rpycbench {

// As ClientThreads. The one thread is the caller's, which has been placed already.
template <class Source, class Call>
class ClientFibers {
 public:
  ClientFibers(std::size_t clients, std::int64_t requests, Source& source, const Call& call,
               const cpu_set_t&)
      : steps_(requests, source, call),
        results_(MakeResults(clients, requests)),
        fibers_({.kept_fibers = clients}) {}

  static constexpr std::size_t ThreadsFor(std::size_t) { return 1; }

  // Connects all.
  void Connect() {
    RunAll([this](std::size_t client) { steps_.Connect(client, results_[client]); });
  }
  // Makes all requests, to the last reply.
  void MakeRequests() {
    RunAll([this](std::size_t client) { steps_.MakeRequests(client, results_[client]); });
  }
  std::vector<ClientResult>& results() { return results_; }
  void CloseAll() {
    fibers_.Start([this] { steps_.CloseAll(); });
    fibers_.RunToTheEnd();
  }

 private:
  template <class Step>
  void RunAll(Step step) {
    for (std::size_t i = 0; i < results_.size(); ++i) fibers_.Start([step, i] { step(i); });
    fibers_.RunToTheEnd();
  }

  ClientSteps<Source, Call> steps_;
  std::vector<ClientResult> results_;
  net::FiberLoop fibers_;
};

}  // namespace rpycbench
