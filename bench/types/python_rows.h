// Rows whose clients are real Python programs: rpyc, or requests. A resident process makes the
// calls and times each of them by its own clock, so neither commands nor their answers count.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "bench/load/per_client_file.h"
#include "bench/load/rate_slots.h"
#include "fixtures/meter/counters.h"
#include "fixtures/process/python_clients.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

// Returns whether Python clients can call servers of the mode here.
inline bool HasPythonClients(const Suite& suite, const ServerMode& mode) {
  if (mode.protocol == Protocol::kRpyc) return suite.possible.rpyc_clients;
  return mode.protocol == Protocol::kHttp && suite.possible.requests_clients;
}

// What both kinds of rows share.
class PythonRow : public ServerFixture {
 public:
  static void Add(const PythonCalls& calls, Samples& samples) {
    using std::chrono::nanoseconds;
    for (std::size_t i = 0; i < calls.times_ns.size(); ++i) {
      Samples::Call call{.start = {}, .time = nanoseconds(calls.times_ns[i])};
      // Python's perf_counter_ns reads the same clock.
      if (samples.keeps_starts()) call.start += nanoseconds(calls.starts_ns[i]);
      samples.Add(call);
    }
  }
  // Returns what the client has counted so far.
  WireTotals Wire(const PythonClient& client) const {
    WireTotals totals;
    totals.connections = client.connections();
    totals.retries = client.retries();
    totals.counts_retries = mode().protocol == Protocol::kHttp;
    return totals;
  }

 protected:
  PythonRow(const Suite& suite, const std::string& name, const ServerMode& mode,
            Placement placement)
      : ServerFixture(suite, name, mode, placement, {}, Timing::kManual) {}

  PythonClient::Server At() const { return {mode().protocol, server(), transport()}; }

  // Python's library always compresses what it sends.
  rpyc::Compression compression() const override {
    return mode().software.is_python() ? rpyc::Compression::kPython : options().compression;
  }
  std::string CompressionName() const override {
    if (compression() == rpyc::Compression::kOff) return "client_only";
    return ToString(compression()) +
           (compression() == rpyc::Compression::kPython ? "" : "_server_python_client");
  }
};

// One client that makes one call after the other. `operation` is one of client_calls.py. The calls
// cross a link of that RTT, if it is given.
class PythonCallRow : public PythonRow {
 public:
  PythonCallRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                std::string operation, Tail tail = Tail::kP99,
                std::optional<std::chrono::nanoseconds> rtt = {})
      : PythonRow(suite, name, mode, Placement::kShared),
        operation_(std::move(operation)),
        tail_(tail) {
    if (rtt) SetRtt(*rtt);
  }

 protected:
  void Measure(benchmark::State& state) override;
  std::size_t connections_for_slots() const override { return 1; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override;

 private:
  class Slots;

  std::unique_ptr<PythonClient> Open() const;

  std::string operation_;
  Tail tail_;
};

// Many clients at once, each a thread of one process; or threads that share one client.
class PythonThreadsRow : public PythonRow {
 public:
  PythonThreadsRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                   std::size_t threads, bool shared)
      : PythonRow(suite, name, mode, Placement::kFree),
        threads_(threads),
        shared_(shared),
        per_client_(options().per_client_file, name) {}

 protected:
  void Measure(benchmark::State& state) override;
  std::size_t connections_for_slots() const override { return shared_ ? 1 : threads_; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override;
  std::string Conditions() const override {
    return "requests_per_client=" + std::to_string(options().requests_per_client);
  }

 private:
  class Slots;

  // With `keep_failed`, clients that fail make nothing throw.
  std::unique_ptr<PythonClient> Open(bool keep_failed = false) const;
  // Writes what each client did in a round. Throws if one failed.
  void KeepEach(PythonClient& client, const PythonCalls& round);

  std::size_t threads_;
  bool shared_;
  PerClientFile per_client_;
};

}  // namespace rpycbench
