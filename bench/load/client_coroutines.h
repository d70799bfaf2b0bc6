// The clients of client_load.h as coroutines, all on the thread that measures. The kernel switches
// between no client threads, so this drives thousands of connections. The result then shows the
// server's costs rather than the clients'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/load/client_load.h"
#include "servers/net/coroutine.h"

namespace rpycbench {

// Has the interface of ClientThreads. Its one thread is the caller's, which has been placed
// already.
template <class Source, class Call>
class ClientCoroutines {
 public:
  ClientCoroutines(std::size_t clients, std::int64_t requests, Source& source, const Call& call,
                   const cpu_set_t&)
      : steps_(requests, source, call),
        results_(MakeResults(clients, requests)),
        coroutines_(context_, {.others_before_answers = true, .kept_stacks = clients}) {}

  static constexpr std::size_t ThreadsFor(std::size_t) { return 1; }

  // Connects all clients and waits until they have had a reply.
  void Connect() {
    RunAll([this](std::size_t client) { steps_.Connect(client, results_[client]); });
  }
  // Lets all clients make their requests and returns after the last reply.
  void MakeRequests() {
    RunAll([this](std::size_t client) { steps_.MakeRequests(client, results_[client]); });
  }
  std::vector<ClientResult>& results() { return results_; }
  // Sets how many requests each client makes from now on. Call it between the phases.
  void SetRequests(std::int64_t requests) { steps_.SetRequests(requests); }
  void CloseAll() {
    coroutines_.Start([this] { steps_.CloseAll(); });
    coroutines_.RunToTheEnd();
  }

 private:
  template <class Step>
  void RunAll(Step step) {
    for (std::size_t i = 0; i < results_.size(); ++i) coroutines_.Start([step, i] { step(i); });
    coroutines_.RunToTheEnd();
  }

  ClientSteps<Source, Call> steps_;
  std::vector<ClientResult> results_;
  net::OneThreadContext context_;
  net::Coroutines coroutines_;
};

}  // namespace rpycbench
