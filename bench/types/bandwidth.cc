// Bandwidth: uploads and downloads of small and medium size over one connection. At these sizes the
// cost of the bytes overtakes the cost of the call.
#include <string>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

template <class Client>
void RegisterBandwidthRows(const Suite& suite, const ServerMode& mode) {
  const std::string prefix = "Bandwidth/" + std::string(mode.name) + "/";
  for (const std::uint64_t size : BandwidthSizes(suite.options, mode)) {
    const auto payload = service::Payload::Of(suite.options.payload, size);
    const CallRowSettings settings{.bytes_per_call = size, .tail = Tail::kP50};
    RegisterCallRow<Client>(
        suite, prefix + "upload/" + std::to_string(size), mode, settings,
        suite.options.bandwidth_iterations,
        [payload](Client& client) { return client.Upload(payload); },
        [size](std::uint64_t reply) { return reply == size; });
    RegisterCallRow<Client>(
        suite, prefix + "download/" + std::to_string(size), mode, settings,
        suite.options.bandwidth_iterations,
        [size](Client& client) { return client.Download(size); },
        [payload](std::string_view reply) { return payload.Matches(reply); });
  }
}

void RegisterBandwidth(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    RegisterBandwidthRows<Client>(suite, mode);
  });
}

}  // namespace

extern const BenchmarkType kBandwidthType{{.name = "Bandwidth",
                                           .timed = "one upload or download",
                                           .variants = "`upload/<bytes>`, `download/<bytes>`",
                                           .primary = kByteRate,
                                           .flags = {"--payload_bytes", "--bandwidth_iterations"}},
                                          RegisterBandwidth};

}  // namespace rpycbench
