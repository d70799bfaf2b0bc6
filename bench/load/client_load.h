// What N clients have to do, whether threads or coroutines run them. All connect at the same
// moment, wait until all have had a first reply, and then start their requests at the same moment.
// A client keeps its findings to itself until the phase is over. Nothing is shared while requests
// are made.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/client_source.h"
#include "fixtures/meter/row_meter.h"
#include "servers/net/descriptor_limit.h"
#include "servers/net/wait.h"

namespace rpycbench {

// What one client found out in one iteration.
struct ClientResult {
  Samples connect;
  Samples latencies;
  // From the first request to the last reply, or to the failure. Equal if it made no request.
  Samples::Clock::time_point begin, end;
  double requests_per_second = 0;
  std::string error;
};

inline std::vector<ClientResult> MakeResults(std::size_t clients, std::int64_t requests) {
  std::vector<ClientResult> results(clients);
  for (ClientResult& result : results) {
    result.connect.Reset(1);
    result.latencies.Reset(static_cast<std::size_t>(requests));
  }
  return results;
}

// What a client does in each phase, whether a thread or a coroutine runs it. A client that has
// failed does nothing more.
template <class Source, class Call>
class ClientSteps {
 public:
  ClientSteps(std::int64_t requests, Source& source, const Call& call)
      : requests_(requests), source_(source), call_(call) {}

  void Connect(std::size_t client, ClientResult& result) const {
    Guard(result, [&] {
      if (const auto took = source_.Connect(client, call_)) result.connect.Add(*took);
    });
  }

  void MakeRequests(std::size_t client, ClientResult& result) const {
    if (!result.error.empty()) return;
    const std::size_t earlier = result.latencies.count();
    const auto start = Samples::Clock::now();
    auto before = start;
    Guard(result, [&] {
      for (std::int64_t i = 0; i < requests_; ++i) {
        net::Yield();  // does nothing in a thread
        source_.With(client, call_);
        const auto after = Samples::Clock::now();
        result.latencies.Add({before, after - before});
        before = after;
      }
    });
    result.begin = start;
    result.end = result.error.empty() ? before : Samples::Clock::now();
    const std::chrono::duration<double> seconds = result.end - start;
    result.requests_per_second =
        static_cast<double>(result.latencies.count() - earlier) / seconds.count();
  }

  void CloseAll() const { source_.CloseAll(); }

  // Sets how many requests each client makes from now on.
  void SetRequests(std::int64_t requests) { requests_ = requests; }

  // Runs `step` unless the client has failed, and records what it throws.
  template <class Step>
  static void Guard(ClientResult& result, const Step& step) {
    if (!result.error.empty()) return;
    try {
      step();
    } catch (const std::exception& error) {
      result.error = error.what();
    }
  }

 private:
  std::int64_t requests_;
  Source& source_;
  const Call& call_;
};

// Returns when the first client sent its first request.
inline Samples::Clock::time_point FirstBegin(const std::vector<ClientResult>& results) {
  return std::ranges::min_element(results, {}, &ClientResult::begin)->begin;
}

// Returns the time from then to the last reply.
inline Samples::Clock::duration FromFirstToLast(const std::vector<ClientResult>& results) {
  const auto last = std::ranges::max_element(results, {}, &ClientResult::end);
  return last->end - FirstBegin(results);
}

// Sums over all iterations of a row.
struct ClientTotals {
  // `keep_starts` says whether the latencies have the moments at which their requests began.
  explicit ClientTotals(bool keep_starts = false) : latencies(keep_starts) {}

  Samples latencies;
  Samples connects;
  double slowest = std::numeric_limits<double>::infinity();
  double fastest = 0;
  std::chrono::duration<double> spent{};  // from first request to last reply, summed up
  WireTotals wire;

  void AddAll(const std::vector<ClientResult>& results) {
    spent += FromFirstToLast(results);
    for (const ClientResult& result : results) Add(result);
  }

  void Add(const ClientResult& result) {
    latencies.Append(result.latencies);
    connects.Append(result.connect);
    slowest = std::min(slowest, result.requests_per_second);
    fastest = std::max(fastest, result.requests_per_second);
  }
};

// Throws if clients failed; the message has their number and the first failure.
inline void CheckAllSucceeded(const std::vector<ClientResult>& results) {
  const auto failed = [](const ClientResult& result) { return !result.error.empty(); };
  const auto first = std::ranges::find_if(results, failed);
  if (first == results.end()) return;
  throw std::runtime_error(std::to_string(std::ranges::count_if(results, failed)) + " of " +
                           std::to_string(results.size()) +
                           " clients failed, one of them: " + first->error);
}

// Throws if so many connections need more descriptors than the process may have. The row then
// reports that at once, and not how its thousandth client failed.
inline void CheckDescriptorsFor(std::size_t clients) {
  const std::size_t needed = clients + net::kOtherDescriptors;
  if (const std::size_t allowed = net::RaiseDescriptorLimit(); needed > allowed) {
    throw std::runtime_error(std::to_string(clients) + " clients take " + std::to_string(needed) +
                             " descriptors, and no more than " + std::to_string(allowed) +
                             " are allowed here (ulimit -Hn)");
  }
}

// What a row asks of its clients.
struct ClientLoad {
  const net::Endpoint& server;
  const Options& options;
  const ServerMode& mode;
  std::size_t clients;
  std::int64_t requests;  // by each client in each iteration
  RowMeter& meter;
};

// Hands the meter what all iterations of a row are judged by. Its clients had a rate, and one
// connection each.
inline void TakeTotals(RowMeter& meter, ClientTotals& totals, Tail tail, std::size_t threads) {
  meter.TakeSamples(totals.latencies, tail, RowMeter::Order::kOther);
  meter.LoadIsMadeBy(threads);
}

// Runs one iteration of the benchmark's loop. `Clients` is ClientThreads or ClientCoroutines;
// `keep` is invoked with the clients' results, even if clients failed. The clock runs from the
// release of the requests to the last reply. It excludes connecting, closing and `keep`. Throws if
// a client failed.
template <template <class, class> class Clients, class Source, class Call, class Keep>
void MeasureClients(benchmark::State& state, const ClientLoad& load, const Call& call,
                    ClientTotals& totals, const Keep& keep) {
  state.PauseTiming();
  CheckDescriptorsFor(load.clients);
  load.meter.BeforeConnecting(load.clients);
  {
    Source source(load.server, load.options, load.mode, load.clients, call);
    {
      Clients<Source, Call> clients(load.clients, load.requests, source, call,
                                    load.meter.plan().client);
      for (ClientResult& result : clients.results()) {
        result.latencies.KeepStartsLike(totals.latencies);
      }
      clients.Connect();
      load.meter.AllConnected(source.size());
      const WireTotals before = source.Wire();
      load.meter.Start();
      state.ResumeTiming();
      clients.MakeRequests();
      state.PauseTiming();
      load.meter.Stop();
      totals.wire += source.Wire() - before;
      keep(clients.results());
      CheckAllSucceeded(clients.results());
      totals.AddAll(clients.results());
      clients.CloseAll();
    }
  }
  state.ResumeTiming();
}

}  // namespace rpycbench
