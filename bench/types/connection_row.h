// A row that opens one connection after the other, each timed until it has answered its first call.
// A connect alone says little, because the kernel's backlog answers it before a thread is started
// or a process forked. Connections are held open, and closed outside of the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/types/type.h"
#include "fixtures/benchmark_compat.h"
#include "fixtures/call_costs/call_mark.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"
#include "fixtures/process/run_certificates.h"
#include "fixtures/server_fixture.h"
#include "servers/net/tls/context.h"

namespace rpycbench {

// What a new connection does before it counts as usable.
enum class Opening {
  kShortest,  // the fewest round trips that end in a verified ping
  kPython,    // RPyC: GETROOT, INSPECT, GETATTR, CALL, as a Python program's first call
};

// Makes the protocol's own opening after TCP's, which only RPyC has.
template <class Client>
void Handshake(Client&, Opening) {}
inline void Handshake(RpycClient& client, Opening opening) {
  client.Root();
  if (opening == Opening::kPython) client.InspectRoot();
}

template <class Client>
std::string_view FirstCall(Client& client, Opening) {
  return client.Ping();
}
inline std::string_view FirstCall(RpycClient& client, Opening opening) {
  return opening == Opening::kPython ? client.Ping() : client.PingCallAttr();
}

struct ConnectionRowSettings {
  Opening opening = Opening::kShortest;
  std::optional<Transport> transport = {};           // overrides that of the options
  bool resumes = false;                              // TLS: each connection resumes a session
  std::optional<std::chrono::nanoseconds> rtt = {};  // of the link to the server
};

template <class Client>
class ConnectionRow : public ServerFixture {
 public:
  ConnectionRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                const ConnectionRowSettings& settings)
      : ServerFixture(suite, name, mode, Placement::kShared), settings_(settings) {
    if (settings.transport) SetTransport(*settings.transport);
    if (settings.rtt) SetRtt(*settings.rtt);
  }

 protected:
  void Measure(benchmark::State& state) override {
    Phases phases(options().keeps_starts());
    phases.Reset(static_cast<std::size_t>(state.max_iterations));
    Connections connections(*this, server(), Held(kHeld));
    meter().BeforeConnecting(Held(kHeld));
    meter().Start();
    for (auto _ : state) {
      if (connections.full()) {
        state.PauseTiming();
        meter().AllConnected(connections.held());
        connections.CloseAll();
        state.ResumeTiming();
      }
      connections.Open(phases);
    }
    Complete(phases.total, Tail::kP99, [&] {
      if (connections.full()) {
        meter().AllConnected(connections.held());
        connections.CloseAll();
      }
      connections.Open(phases);
    });
    meter().Stop();
    meter().AllConnected(connections.held());  // of a short row
    connections.CloseAll();
    meter().TakeSamples(phases.total, Tail::kP99);
    ReportCalls(state, phases.total, connections.totals());
    SetMedian(state, counter::kTcpConnect, phases.connect);
    SetMedian(state, counter::kFirstCall, phases.first_call);
    if (mode().protocol == Protocol::kRpyc) {
      SetMedian(state, counter::kHandshake, phases.handshake);
    }
  }

  std::size_t connections_for_slots() const override { return Held(kHeldInSlots); }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override { return std::make_unique<Slots>(*this); }

  LedgerUse ledger_use() const override {
    return {.calls = 10, .in_full = !mode().software.is_python()};
  }

  // Here each connection is closed before the next, and its end is counted as well.
  void MakeCalls(const net::Endpoint& server, std::int64_t calls) override {
    const auto tls = NewContext();
    const auto connect = [&] {
      auto client = MakeUniqueClient<Client>(server, options(), mode(), SettingsOf(tls.get()));
      Handshake(*client, settings_.opening);
      rpycbench::Verify(FirstCall(*client, settings_.opening) == "pong", "the first ping");
      client->Close();
    };
    for (int i = 0; i < 3; ++i) connect();
    MakeMarkedCalls(calls, connect);
  }

 private:
  // More connections open at once would exhaust descriptors before they show anything new. More
  // than a mode serves at once would wait for ever.
  static constexpr std::size_t kHeld = 100;
  // Slots hold fewer, so that they may open as many before, within kWarmup: the first connections
  // of a server take longer, because it allocates stacks and arenas for as many as are open at
  // once.
  static constexpr std::size_t kHeldInSlots = 8;
  static constexpr std::chrono::milliseconds kWarmup{2};

  struct Phases {
    explicit Phases(bool keep_starts = false) : total(keep_starts) {}

    Samples total, connect, handshake, first_call;

    void Reset(std::size_t count) {
      for (Samples* samples : {&total, &connect, &handshake, &first_call}) samples->Reset(count);
    }
  };

  // Connections that stay open until there are `most`.
  class Connections {
   public:
    Connections(const ConnectionRow& row, const net::Endpoint& server, std::size_t most)
        : row_(row), server_(server), tls_(row.NewContext()) {
      for (std::size_t i = 0; i < most; ++i) {
        places_.push_back(std::make_unique<std::optional<Client>>());
      }
      if (tls_) GetSession();
    }

    std::size_t held() const { return held_; }
    bool full() const { return held_ == places_.size(); }
    // Returns what the closed ones have moved. Their number is not counted, because the row is
    // about each of them.
    const WireTotals& totals() const { return totals_; }

    // Returns the time until the first reply, and adds it and its phases.
    Samples::Call Open(Phases& phases) {
      const auto start = Samples::Clock::now();
      Client& client = places_[held_]->emplace(Make{*this});
      const auto connected = Samples::Clock::now();
      Handshake(client, row_.settings_.opening);
      const auto ready = Samples::Clock::now();
      const std::string_view answer = FirstCall(client, row_.settings_.opening);
      const auto end = Samples::Clock::now();
      phases.total.Add({start, end - start});
      phases.connect.Add(connected - start);
      phases.handshake.Add(ready - connected);
      phases.first_call.Add(end - ready);
      rpycbench::Verify(answer == "pong", "the first ping");
      ++held_;
      ++opened_;
      return {start, end - start};
    }
    void CloseAll() {
      if (tls_ && tls_->resumed() != opened_) {
        throw std::runtime_error("only " + std::to_string(tls_->resumed()) + " of " +
                                 std::to_string(opened_) + " connections resumed a session");
      }
      for (; held_ > 0; --held_) {
        std::optional<Client>& client = *places_[held_ - 1];
        totals_ += WireTotals::Of(*client);
        client->Close();
        client.reset();
      }
      totals_.connections = 0;
    }

   private:
    // Constructs in place, because the clients cannot be moved.
    struct Make {
      const Connections& to;
      operator Client() const {
        return MakeClient<Client>(to.server_, to.row_.options(), to.row_.mode(),
                                  to.row_.SettingsOf(to.tls_.get()));
      }
    };

    // Makes a first connection, so that the next one has a session to resume.
    void GetSession() {
      Phases ignored;
      Open(ignored);
      opened_ = 0;
      CloseAll();
      totals_ = {};
    }

    const ConnectionRow& row_;
    net::Endpoint server_;
    std::unique_ptr<net::TlsContext> tls_;
    std::uint64_t opened_ = 0;  // by resumption
    std::vector<std::unique_ptr<std::optional<Client>>> places_;
    std::size_t held_ = 0;
    WireTotals totals_;
  };

  class Slots : public SlotRunner {
   public:
    explicit Slots(const ConnectionRow& row)
        : connections_(row, row.server(), row.Held(kHeldInSlots)) {
      const auto end = Samples::Clock::now() + kWarmup;
      while (!connections_.full() && Samples::Clock::now() < end) connections_.Open(phases_);
      Close();
      phases_.Reset(0);
    }

    SlotResult Run(const SlotLength& length, Samples& times) override {
      const SlotResult result = MakeCalls(length, times, [this] {
        if (connections_.full()) connections_.CloseAll();
        return connections_.Open(phases_);
      });
      Close();
      phases_.Reset(0);
      return result;
    }
    WireTotals Wire() const override { return connections_.totals(); }
    void Close() override { connections_.CloseAll(); }

   private:
    Connections connections_;
    Phases phases_;
  };

  // Returns a context whose connections resume; null if the row's don't.
  std::unique_ptr<net::TlsContext> NewContext() const {
    if (!settings_.resumes) return nullptr;
    auto context = RunCertificates::Get().NewClient(transport(), mode().protocol);
    context->Resume(true);
    return context;
  }
  ClientSettings SettingsOf(net::TlsContext* tls) const {
    return {.socket = {.tls = tls}, .transport = transport()};
  }

  std::size_t Held(std::size_t most) const {
    return std::min(most, mode().traits.connections_at_once);
  }

  static void SetMedian(benchmark::State& state, const char* name, Samples& samples) {
    if (const auto median = samples.PercentileUs(50)) state.counters[name] = *median;
  }

  ConnectionRowSettings settings_;
};

// Adds a row whose connections are opened as the settings say.
template <class Client>
void RegisterConnectionRow(const Suite& suite, const std::string& name, const ServerMode& mode,
                           const ConnectionRowSettings& settings) {
  auto row = std::make_unique<ConnectionRow<Client>>(suite, name, mode, settings);
  if (suite.options.preset == Preset::kClassic) row->FixIterations(suite.options.connections);
  RegisterRow(suite, std::move(row));
}

}  // namespace rpycbench
