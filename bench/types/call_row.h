// A row that makes one kind of call again and again over one connection. Latency, Bandwidth and
// BinaryTransfer have this shape; they differ only in the call, its size and its counts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "fixtures/call_costs/call_mark.h"
#include "fixtures/clients/clients.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

struct CallRowSettings {
  Placement placement = Placement::kShared;  // unless the options name one
  std::int64_t warmup_calls = 1;             // verified, before the clock starts
  std::uint64_t bytes_per_call = 0;          // payload; 0 reports no throughput
  Tail tail = Tail::kP99;                    // the percentile that the row is read for
  bool ledger_in_default = false;            // for native servers
  std::size_t connections = 1;               // that the client opens
  std::string conditions = {};               // further ones for the label
  // Settings that differ from the options, for types that vary them by row.
  ClientSettings client = {};
  std::vector<std::string> server_flags = {};
  std::optional<service::PayloadKind> payload = {};
  std::optional<std::chrono::nanoseconds> rtt = {};  // of the link that the calls cross
};

// From this size on, comparing a reply's content takes longer than stopping and restarting the
// framework's clock. The clock sees half of that pause (0.6 us).
inline constexpr std::uint64_t kPauseToVerifyBytes = 16 * 1024;

// From this size on a ledger counts few calls, and only on request. Each call moves its bytes in
// however many system calls happen to be needed.
inline constexpr std::uint64_t kManyBytes = 1024 * 1024;

// A connection begins with a receive window of 64 KiB, which grows with what arrives at once.
// Whether it grows at calls that just fill it is a matter of chance, and they take three times as
// long if it doesn't. So from this size on a row first moves more.
inline constexpr std::uint64_t kFillsWindowBytes = 32 * 1024;

// `Call` is invoked with the client and returns the reply. It may have a function Finish(client),
// which is called after the last call and throws if the client's calls had no effect. `Check` is
// invoked with the reply and returns whether it is right.
template <class Client, class Call, class Check>
class CallRow : public ServerFixture {
 public:
  CallRow(const Suite& suite, const std::string& name, const ServerMode& mode,
          const CallRowSettings& settings, Call call, Check check)
      : ServerFixture(suite, name, mode, settings.placement, settings.server_flags),
        name_(name),
        settings_(settings),
        call_(std::move(call)),
        check_(std::move(check)) {
    if (settings_.client.transport) SetTransport(*settings_.client.transport);
    if (settings_.rtt) SetRtt(*settings_.rtt);
  }

 protected:
  void Measure(benchmark::State& state) override {
    Client client = Connect();
    WarmUp(client);
    Samples samples(options().keeps_starts());
    samples.Reset(static_cast<std::size_t>(state.max_iterations));
    const WireTotals before = WireTotals::Of(client);
    using Reply = std::invoke_result_t<Call&, Client&>;
    const bool pause =
        std::is_same_v<Reply, std::string_view> && settings_.bytes_per_call >= kPauseToVerifyBytes;
    meter().Start();
    const auto timed_call = [&] {
      const auto start = Samples::Clock::now();
      const auto reply = call_(client);
      samples.Add({start, Samples::Clock::now() - start});
      return reply;
    };
    for (auto _ : state) {
      const auto reply = timed_call();
      if (pause) state.PauseTiming();
      rpycbench::Verify(check_(reply), name_);
      if (pause) state.ResumeTiming();
    }
    Complete(samples, settings_.tail, [&] { rpycbench::Verify(check_(timed_call()), name_); });
    meter().Stop();
    meter().TakeSamples(samples, settings_.tail);
    ReportCalls(state, samples, WireTotals::Of(client) - before);
    if (settings_.bytes_per_call > 0) {
      state.SetBytesProcessed(static_cast<std::int64_t>(settings_.bytes_per_call) *
                              state.iterations());
    }
    Close(client);
  }

  std::size_t connections_for_slots() const override { return settings_.connections; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override { return std::make_unique<Slots>(*this); }

  std::string Conditions() const override { return settings_.conditions; }
  service::PayloadKind payload_kind() const override {
    return settings_.payload.value_or(options().payload);
  }
  rpyc::Compression compression() const override {
    return settings_.client.compression.value_or(options().compression);
  }

  LedgerUse ledger_use() const override {
    const bool native = !mode().software.is_python();
    return {.calls = settings_.bytes_per_call < kManyBytes ? 10 : 2,
            .in_default = native && settings_.ledger_in_default,
            .in_full = native && settings_.bytes_per_call < kManyBytes};
  }

  void MakeCalls(const net::Endpoint& server, std::int64_t calls) override {
    Client client = MakeClient<Client>(server, options(), mode(), settings_.client);
    const auto call = [&] { rpycbench::Verify(check_(call_(client)), name_); };
    // Warms up until every buffer has its size, with fewer calls where each takes long.
    for (int i = settings_.bytes_per_call < kManyBytes ? 3 : 1; i > 0; --i) call();
    MakeMarkedCalls(calls, call);
    Close(client);
  }

 private:
  class Slots : public SlotRunner {
   public:
    explicit Slots(CallRow& row) : row_(row), client_(row.Connect()) { row.WarmUp(client_); }

    SlotResult Run(const SlotLength& length, Samples& times) override {
      return MakeCalls(length, times, [this] {
        const auto start = Samples::Clock::now();
        const auto reply = row_.call_(client_);
        const auto time = Samples::Clock::now() - start;
        rpycbench::Verify(row_.check_(reply), row_.name_);
        return Samples::Call{start, time};
      });
    }
    WireTotals Wire() const override { return WireTotals::Of(client_); }
    void Close() override { row_.Close(client_); }

   private:
    CallRow& row_;
    Client client_;
  };

  Client Connect() const {
    return MakeClient<Client>(server(), options(), mode(), settings_.client);
  }
  void Close(Client& client) {
    if constexpr (requires { call_.Finish(client); }) call_.Finish(client);
    client.Close();
  }
  void WarmUp(Client& client) {
    if constexpr (ServiceClient<Client>) {
      if (settings_.bytes_per_call >= kFillsWindowBytes && settings_.bytes_per_call < kManyBytes) {
        client.Upload(service::Payload::Of(payload_kind(), kManyBytes));
        client.Download(kManyBytes);
      }
    }
    for (std::int64_t i = 0; i < settings_.warmup_calls; ++i) {
      rpycbench::Verify(check_(call_(client)), name_);
    }
  }

  std::string name_;
  CallRowSettings settings_;
  Call call_;
  Check check_;
};

// Registers such a row. The preset classic fixes the number of iterations.
template <class Client, class Call, class Check>
void RegisterCallRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                     const CallRowSettings& settings, std::int64_t classic_iterations, Call call,
                     Check check) {
  auto row = std::make_unique<CallRow<Client, Call, Check>>(suite, name, mode, settings,
                                                            std::move(call), std::move(check));
  if (suite.options.preset == Preset::kClassic) row->FixIterations(classic_iterations);
  RegisterRow(suite, std::move(row));
}

}  // namespace rpycbench
