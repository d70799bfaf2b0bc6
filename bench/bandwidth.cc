// Bandwidth: uploads and downloads of small and middling size over one connection, where the cost
// of a call and the cost of its bytes change places.
#include <string>
#include <vector>

#include "bench/call_row.h"
#include "bench/rows.h"

namespace rpycbench {
namespace {

constexpr std::int64_t kClassicIterations = 10;

std::vector<std::uint64_t> Sizes(Preset preset) {
  if (preset == Preset::kQuick) return {1024, 100 * 1024};
  return {1024, 10 * 1024, 100 * 1024, 1024 * 1024};
}

template <class Client>
void RegisterMode(const Suite& suite, const ServerMode& mode) {
  const std::string prefix = "Bandwidth/" + std::string(mode.name) + "/";
  for (const std::uint64_t size : Sizes(suite.options.preset)) {
    const auto payload = service::Payload::Of(suite.options.payload, size);
    const CallRowSettings settings{.bytes_per_call = size};
    RegisterCallRow<Client>(
        suite, prefix + "upload/" + std::to_string(size), mode, settings, kClassicIterations,
        [payload](Client& client) { return client.Upload(payload); },
        [size](std::uint64_t reply) { return reply == size; });
    RegisterCallRow<Client>(
        suite, prefix + "download/" + std::to_string(size), mode, settings, kClassicIterations,
        [size](Client& client) { return client.Download(size); },
        [payload](std::string_view reply) { return payload.Matches(reply); });
  }
}

}  // namespace

void RegisterBandwidth(const Suite& suite) {
  ForEachMode([&]<class Client>(const ServerMode& mode) { RegisterMode<Client>(suite, mode); });
}

}  // namespace rpycbench
