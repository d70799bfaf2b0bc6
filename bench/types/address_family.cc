// AddressFamily: the same calls over IPv4's loopback address, IPv6's, and a Unix-domain socket,
// which avoids TCP altogether. The cost of a protocol on one machine depends on which of them it
// uses. The difference shows the network stack's part in a call.
#include "fixtures/address_family.h"

#include <string>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

constexpr std::uint64_t kUploadBytes = 65'536;

template <class Client>
void RegisterFamily(const Suite& suite, const ServerMode& mode, const AddressFamily& family) {
  const Options& options = suite.options;
  const std::string prefix =
      "AddressFamily/" + std::string(mode.name) + "/" + std::string(family.name) + "/";
  const std::vector<std::string> flags{"--host=" + std::string(family.host)};
  RegisterCallRow<Client>(
      suite, prefix + "ping", mode,
      {.warmup_calls = options.warmup_requests + 1,
       .client = {.transport = Transport::kTcp},
       .server_flags = flags},
      options.requests, [](Client& client) { return client.Ping(); },
      [](std::string_view reply) { return reply == "pong"; });
  if (options.preset != Preset::kFull) return;
  const auto payload = service::Payload::Of(options.payload, kUploadBytes);
  RegisterCallRow<Client>(
      suite, prefix + "upload/" + std::to_string(kUploadBytes), mode,
      {.bytes_per_call = kUploadBytes,
       .tail = Tail::kP50,
       .client = {.transport = Transport::kTcp},
       .server_flags = flags},
      options.requests, [payload](Client& client) { return client.Upload(payload); },
      [](std::uint64_t reply) { return reply == kUploadBytes; });
}

void RegisterAddressFamily(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (!HasRows("AddressFamily", suite.options.preset, mode)) return;
    RegisterFamily<Client>(suite, mode, kIpv4Family);
    if (suite.possible.ipv6) RegisterFamily<Client>(suite, mode, kIpv6Family);
    RegisterFamily<Client>(suite, mode, kUnixFamily);
  });
}

}  // namespace

extern const BenchmarkType kAddressFamilyType{
    {.name = "AddressFamily",
     .timed = "one call over another kind of loopback address",
     .variants = "`<ipv4|ipv6|unix>/ping`, `…/upload/65536` (`full`)"},
    RegisterAddressFamily};

}  // namespace rpycbench
