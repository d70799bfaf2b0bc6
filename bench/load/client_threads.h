// The clients of client_load.h as threads of this process, spread evenly over the CPUs of the load:
// where the scheduler would put them changes a rate by a tenth and more from run to run. A barrier
// moves them from phase to phase together.
#pragma once

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/load/client_load.h"
#include "fixtures/meter/placement.h"

namespace rpycbench {

// The clients of one iteration. `Source` is one of the classes in client_source.h. `Call` is
// invoked with a connection and throws if the reply is wrong.
template <class Source, class Call>
class ClientThreads {
 public:
  // Starts the threads, which inherit the CPUs of the calling thread. All must be allowed exactly
  // `cpus`.
  ClientThreads(std::size_t clients, std::int64_t requests, Source& source, const Call& call,
                const cpu_set_t& cpus)
      : cpus_(cpus),
        steps_(requests, source, call),
        results_(MakeResults(clients, requests)),
        phase_(static_cast<std::ptrdiff_t>(clients + 1)) {
    for (std::size_t i = 0; i < clients; ++i) {
      try {
        threads_.emplace_back([this, i] { Run(i); });
      } catch (const std::system_error& error) {
        results_[i].error = std::string("start a thread: ") + error.what();
        phase_.arrive_and_drop();
      }
    }
  }

  // Returns how many threads make the load of `clients` clients.
  static constexpr std::size_t ThreadsFor(std::size_t clients) { return clients; }

  ~ClientThreads() {
    ended_ = true;
    phase_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }

  // Lets all clients connect and waits until they have. Call it once.
  void Connect() {
    phase_.arrive_and_wait();
    phase_.arrive_and_wait();
  }
  // Lets all clients make their requests and waits for the last reply. May be called again.
  void MakeRequests() {
    phase_.arrive_and_wait();
    phase_.arrive_and_wait();
  }
  // Returns a result for each client. Read it between the phases or after them.
  std::vector<ClientResult>& results() { return results_; }
  // Sets how many requests each client makes from now on. Call it between the phases.
  void SetRequests(std::int64_t requests) { steps_.SetRequests(requests); }
  void CloseAll() { steps_.CloseAll(); }

 private:
  void Run(std::size_t client) {
    phase_.arrive_and_wait();
    if (ended_) return;
    std::optional<PinnedThread> pinned;
    steps_.Guard(results_[client], [&] {
      CheckThisThread(cpus_);
      pinned.emplace(OneOf(cpus_, client));
    });
    steps_.Connect(client, results_[client]);
    phase_.arrive_and_wait();
    for (;;) {
      phase_.arrive_and_wait();
      if (ended_) return;
      steps_.MakeRequests(client, results_[client]);
      phase_.arrive_and_wait();
    }
  }

  cpu_set_t cpus_;
  ClientSteps<Source, Call> steps_;
  std::vector<ClientResult> results_;
  std::barrier<> phase_;
  bool ended_ = false;  // written between two phases
  std::vector<std::thread> threads_;
};

}  // namespace rpycbench
