// Transport: the same calls over TCP, a Unix-domain socket and TLS, and what a new connection costs
// over each. Beside the rows of tcp_threaded, they show the price of TLS for every protocol.
#include "fixtures/transport.h"

#include <string>

#include "bench/types/call_row.h"
#include "bench/types/connection_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

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
  RegisterConnectionRow<Client>(suite, prefix + "connect", mode, {.transport = transport});
  if (!IsTls(transport) || !mode.software.resumes_sessions) return;
  RegisterConnectionRow<Client>(suite, prefix + "connect_resumed", mode,
                                {.transport = transport, .resumes = true});
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
                 "`unix`, `tls_1_2`, `upload/1048576`",
     .precision = 0.02,
     .counters = {counter::kTcpConnect, counter::kHandshake, counter::kFirstCall}},
    RegisterTransports};

}  // namespace rpycbench
