// Concurrent: N clients, each a thread of this process, connect at the same moment, wait until all
// have had a first reply, and then make their requests at the same moment. The row's time is that
// of all requests, from the release to the last reply; connecting under load is told apart.
#include <sys/resource.h>

#include <algorithm>
#include <barrier>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bench/client_source.h"
#include "bench/rows.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/counters.h"

namespace rpycbench {
namespace {

// What one client found out in one iteration.
struct ClientResult {
  Samples connect;
  Samples latencies;
  double requests_per_second = 0;
  std::string error;
};

double Seconds(Samples::Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

// The clients of one iteration: threads that move from phase to phase together with their owner.
template <class Source, class Call>
class ClientThreads {
 public:
  ClientThreads(std::size_t clients, std::int64_t requests, Source& source, const Call& call)
      : requests_(requests),
        source_(source),
        call_(call),
        results_(clients),
        phase_(static_cast<std::ptrdiff_t>(clients + 1)) {
    for (ClientResult& result : results_) {
      result.connect.Reset(1);
      result.latencies.Reset(static_cast<std::size_t>(requests));
    }
    for (std::size_t i = 0; i < clients; ++i) {
      try {
        threads_.emplace_back([this, i] { Run(i); });
      } catch (const std::system_error& error) {
        results_[i].error = std::string("start a thread: ") + error.what();
        phase_.arrive_and_drop();
      }
    }
  }

  ~ClientThreads() {
    for (std::thread& thread : threads_) thread.join();
  }

  // Lets all connect and waits until they have.
  void Connect() {
    phase_.arrive_and_wait();
    phase_.arrive_and_wait();
  }
  // Lets all make their requests and waits for the last reply.
  void MakeRequests() {
    phase_.arrive_and_wait();
    phase_.arrive_and_wait();
  }
  std::vector<ClientResult>& results() { return results_; }

 private:
  void Run(std::size_t client) {
    ClientResult& result = results_[client];
    const auto guarded = [&](auto step) {
      if (!result.error.empty()) return;
      try {
        step();
      } catch (const std::exception& error) {
        result.error = error.what();
      }
    };
    phase_.arrive_and_wait();
    guarded([&] {
      if (const auto took = source_.Connect(client, call_)) result.connect.Add(*took);
    });
    phase_.arrive_and_wait();
    phase_.arrive_and_wait();
    guarded([&] { MakeRequests(client, result); });
    phase_.arrive_and_wait();
  }

  void MakeRequests(std::size_t client, ClientResult& result) {
    const auto start = Samples::Clock::now();
    auto before = start;
    for (std::int64_t i = 0; i < requests_; ++i) {
      source_.With(client, call_);
      const auto after = Samples::Clock::now();
      result.latencies.Add(after - before);
      before = after;
    }
    result.requests_per_second = static_cast<double>(requests_) / Seconds(before - start);
  }

  std::int64_t requests_;
  Source& source_;
  const Call& call_;
  std::vector<ClientResult> results_;
  std::barrier<> phase_;
  std::vector<std::thread> threads_;
};

// All iterations of a row together.
struct Totals {
  Samples latencies;
  Samples connects;
  double slowest = std::numeric_limits<double>::infinity();
  double fastest = 0;
  WireTotals wire;

  void Add(const ClientResult& result) {
    latencies.Append(result.latencies);
    connects.Append(result.connect);
    slowest = std::min(slowest, result.requests_per_second);
    fastest = std::max(fastest, result.requests_per_second);
  }
};

// Throws if clients failed: how many, and how the first of them.
void CheckAllSucceeded(const std::vector<ClientResult>& results) {
  const auto failed = [](const ClientResult& result) { return !result.error.empty(); };
  const auto first = std::ranges::find_if(results, failed);
  if (first == results.end()) return;
  throw std::runtime_error(std::to_string(std::ranges::count_if(results, failed)) + " of " +
                           std::to_string(results.size()) +
                           " clients failed, one of them: " + first->error);
}

template <class Source, class Call>
class ConcurrentRow : public ServerFixture {
 public:
  ConcurrentRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                std::size_t clients, Call call)
      : ServerFixture(suite, name, mode, Placement::kFree),
        name_(name),
        clients_(clients),
        call_(call) {}

 protected:
  void Measure(benchmark::State& state) override {
    const std::int64_t requests = options().requests_per_client;
    Totals totals;
    ++run_;
    for (auto _ : state) {
      state.PauseTiming();
      Source source(server(), options(), clients_, call_);
      {
        ClientThreads threads(clients_, requests, source, call_);
        threads.Connect();
        const WireTotals before = source.Wire();
        state.ResumeTiming();
        threads.MakeRequests();
        state.PauseTiming();
        totals.wire += source.Wire() - before;
        CheckAllSucceeded(threads.results());
        for (const ClientResult& result : threads.results()) totals.Add(result);
        WritePerClient(threads.results());
      }
      source.CloseAll();
      state.ResumeTiming();
    }
    Report(state, totals);
  }

  std::string Conditions() const override {
    return "requests_per_client=" + std::to_string(options().requests_per_client);
  }

 private:
  void Report(benchmark::State& state, Totals& totals) {
    SetLatencyCounters(state, totals.latencies);
    SetWireCounters(state, totals.wire, totals.latencies.count());
    state.SetItemsProcessed(static_cast<std::int64_t>(totals.latencies.count()));
    state.counters[counter::kSlowestClient] = totals.slowest;
    state.counters[counter::kFastestClient] = totals.fastest;
    if (totals.connects.count() > 0) {
      state.counters[counter::kConnectP50] = *totals.connects.PercentileUs(50);
      state.counters[counter::kConnectMax] = totals.connects.MaxUs();
    }
  }

  // One JSON object a line. The framework measures a row several times to find its number of
  // iterations; `run` counts these, and the last run of a row is the one reported.
  void WritePerClient(std::vector<ClientResult>& results) {
    if (options().per_client_file.empty()) return;
    std::ofstream file(options().per_client_file, std::ios::app);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ClientResult& result = results[i];
      file << "{\"row\":\"" << name_ << "\",\"run\":" << run_ << ",\"client\":" << i;
      if (result.connect.count() > 0) file << ",\"connect_us\":" << result.connect.MaxUs();
      file << ",\"requests\":" << result.latencies.count()
           << ",\"requests_per_s\":" << result.requests_per_second
           << ",\"p50_us\":" << *result.latencies.PercentileUs(50)
           << ",\"max_us\":" << result.latencies.MaxUs() << "}\n";
    }
    if (!file.flush()) {
      throw std::runtime_error("cannot write to " + options().per_client_file);
    }
  }

  std::string name_;
  std::size_t clients_;
  Call call_;
  int run_ = 0;
};

// A client takes a descriptor here and one in the server, which inherits the limit; the usual one
// of 1,024 is for programs that call select().
void RaiseDescriptorLimit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // if it fails, rows with too many clients say so
}

std::vector<std::int64_t> ClientCounts(const Options& options) {
  if (!options.clients.empty()) return options.clients;
  if (options.preset == Preset::kQuick) return {1, 10};
  return {1, 10, 32, 128};
}

template <class Source, class Call>
void RegisterVariant(const Suite& suite, const ServerMode& mode, const std::string& variant,
                     Call call) {
  for (const std::int64_t clients : ClientCounts(suite.options)) {
    auto row = std::make_unique<ConcurrentRow<Source, Call>>(
        suite,
        "Concurrent/" + std::string(mode.name) + variant + "/clients:" + std::to_string(clients),
        mode, static_cast<std::size_t>(clients), call);
    if (suite.options.preset == Preset::kClassic) row->Iterations(1);
    compat::RegisterRow(std::move(row));
  }
}

}  // namespace

void RegisterConcurrent(const Suite& suite) {
  RaiseDescriptorLimit();
  ForEachMode([&]<class Client>(const ServerMode& mode) {
    const auto ping = [](Client& client) { Verify(client.Ping() == "pong", "ping"); };
    RegisterVariant<OwnConnections<Client>>(suite, mode, "", ping);
    if constexpr (std::is_same_v<Client, RpycClient>) {
      RegisterVariant<OwnConnections<Client>>(suite, mode, "/ping_callattr", [](Client& client) {
        Verify(client.PingCallAttr() == "pong", "ping");
      });
    }
    if constexpr (std::is_same_v<Client, HttpClient>) {
      RegisterVariant<PooledConnections<Client>>(suite, mode, "/pool:10", ping);
    }
  });
}

}  // namespace rpycbench
