// Transport: the same calls over TCP, a Unix-domain socket and TLS, and what a new connection costs
// over each. Beside the rows of tcp_threaded, they show the price of TLS for every protocol.
#include "fixtures/transport.h"

#include <string>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"
#include "fixtures/process/run_certificates.h"

namespace rpycbench {
namespace {

// A new connection for each call, timed until its first reply. Its close is not timed.
template <class Client>
class ConnectRow : public ServerFixture {
 public:
  ConnectRow(const Suite& suite, const std::string& name, const ServerMode& mode,
             Transport transport, bool resumes)
      : ServerFixture(suite, name, mode, Placement::kShared), name_(name), resumes_(resumes) {
    SetTransport(transport);
  }

 protected:
  void Measure(benchmark::State& state) override {
    const auto tls = NewContext();
    Samples samples;
    samples.Reset(static_cast<std::size_t>(state.max_iterations));
    WireTotals wire;
    Connect(server(), tls.get(), wire);  // has a session to resume from then on
    wire = {};
    meter().Start();
    for (auto _ : state) samples.Add(Connect(server(), tls.get(), wire, &state));
    Complete(samples, Tail::kP99, [&] { samples.Add(Connect(server(), tls.get(), wire)); });
    meter().Stop();
    meter().TakeSamples(samples, Tail::kP99);
    ReportCalls(state, samples, wire);
  }

  std::size_t connections_for_slots() const override { return 1; }
  std::unique_ptr<SlotRunner> MakeSlotRunner() override { return std::make_unique<Slots>(*this); }

 private:
  class Slots : public SlotRunner {
   public:
    explicit Slots(const ConnectRow& row) : row_(row), tls_(row.NewContext()) {
      row_.Connect(row_.server(), tls_.get(), wire_);
      wire_ = {};
    }

    SlotResult Run(const SlotLength& length, Samples& times) override {
      return MakeCalls(length, times,
                       [this] { return row_.Connect(row_.server(), tls_.get(), wire_); });
    }
    WireTotals Wire() const override { return wire_; }
    void Close() override {}

   private:
    const ConnectRow& row_;
    std::unique_ptr<net::TlsContext> tls_;
    WireTotals wire_;
  };

  // Returns null if there is no TLS.
  std::unique_ptr<net::TlsContext> NewContext() const {
    if (!IsTls(transport())) return nullptr;
    auto context = RunCertificates::Get().NewClient(transport(), mode().protocol);
    context->Resume(resumes_);
    return context;
  }

  // Returns the time until the first reply. The clock of `state` stands still during the close.
  Samples::Clock::duration Connect(const net::Endpoint& server, net::TlsContext* tls,
                                   WireTotals& wire, benchmark::State* state = nullptr) const {
    const auto start = Samples::Clock::now();
    Client client = MakeClient<Client>(server, options(), mode(),
                                       {.socket = {.tls = tls}, .transport = transport()});
    const bool right = client.Ping() == "pong";
    const auto time = Samples::Clock::now() - start;
    if (state != nullptr) state->PauseTiming();
    rpycbench::Verify(right, name_);
    wire += WireTotals::Of(client);
    wire.connections = 0;  // the row is about each of them
    client.Close();
    if (state != nullptr) state->ResumeTiming();
    return time;
  }

  std::string name_;
  bool resumes_;
};

template <class Client>
void RegisterTransport(const Suite& suite, const ServerMode& mode, Transport transport) {
  const Options& options = suite.options;
  const std::string prefix =
      "Transport/" + std::string(mode.name) + "/" + std::string(ToString(transport)) + "/";
  RegisterCallRow<Client>(
      suite, prefix + "ping", mode,
      {.warmup_calls = options.warmup_requests + 1, .client = {.transport = transport}},
      options.requests, [](Client& client) { return client.Ping(); },
      [](std::string_view reply) { return reply == "pong"; });
  for (const std::uint64_t bytes : {std::uint64_t{65'536}, std::uint64_t{1'048'576}}) {
    if (bytes > 65'536 && options.preset != Preset::kFull) continue;
    const auto payload = service::Payload::Of(options.payload, bytes);
    RegisterCallRow<Client>(
        suite, prefix + "upload/" + std::to_string(bytes), mode,
        {.bytes_per_call = bytes, .tail = Tail::kP50, .client = {.transport = transport}},
        options.requests, [payload](Client& client) { return client.Upload(payload); },
        [bytes](std::uint64_t reply) { return reply == bytes; });
  }
  const auto register_connect = [&](const char* name, bool resumes) {
    RegisterRow(suite, std::make_unique<ConnectRow<Client>>(suite, prefix + name, mode, transport,
                                                            resumes));
  };
  register_connect("connect", false);
  if (IsTls(transport)) register_connect("connect_resumed", true);
}

void RegisterTransports(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("Transport", suite.options.preset, mode)) return;
    RegisterTransport<Client>(suite, mode, Transport::kTcp);
    RegisterTransport<Client>(suite, mode, Transport::kTls);
    if (suite.options.preset != Preset::kFull) return;
    RegisterTransport<Client>(suite, mode, Transport::kUnix);
    RegisterTransport<Client>(suite, mode, Transport::kTls12);
  });
}

}  // namespace

extern const BenchmarkType kTransportType{
    {.name = "Transport",
     .timed = "one call over another transport; a new connection until its first verified reply",
     .variants = "`<tcp|tls>/<ping|upload/65536|connect>`, `tls/connect_resumed`; `full`: "
                 "`unix`, `tls_1_2`, `upload/1048576`"},
    RegisterTransports};

}  // namespace rpycbench
