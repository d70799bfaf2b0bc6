#include "bench/types/presets.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace rpycbench {
namespace {

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMib = 1024 * kKib;
constexpr std::int64_t kSmallFile = 1'572'864;
constexpr std::int64_t kMiddleFile = 16 * kMib;
constexpr std::int64_t kBigFile = 128 * kMib;
constexpr std::int64_t kHugeFile = 524'288'000;

// The preset's lists, for a server that can take them all. Where Python stops at the middle file,
// the others have that one too, for a ratio needs rows of the same size.
std::vector<std::int64_t> PresetFiles(Extent extent) {
  if (extent == Extent::kSmall) return {kSmallFile};
  if (extent == Extent::kMedium) return {kSmallFile, kMiddleFile, kBigFile};
  return {kSmallFile, kMiddleFile, kBigFile, kHugeFile};
}

std::vector<std::int64_t> PresetClients(Extent extent) {
  if (extent == Extent::kSmall) return {1, 10};
  return {1, 10, 32, 128};
}

std::vector<std::int64_t> PresetComputeClients(Extent extent) {
  if (extent == Extent::kSmall) return {1, 4};
  if (extent == Extent::kMedium) return {1, 2, 4, 8};
  return {1, 2, 4, 8, 16};
}

// The most that a mode gets of the preset's list, and why.
struct Limit {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view reason = {};
  bool always = false;  // whatever the flags say
};

Limit FileLimit(const Options& options, const ServerMode& mode) {
  if (!mode.software.is_python()) {
    const bool shortened = ExtentOf(options.preset, mode) == Extent::kMedium;
    if (!shortened || mode.model == "threaded") return {};
    return {kMiddleFile, "larger ones take the same way in every model"};
  }
  if (mode.protocol == Protocol::kRpyc && options.payload != service::PayloadKind::kZeros) {
    return {kMiddleFile,
            "rpyc copies the rest of a message for each 64,000 bytes of it that it sends, so that "
            "twice the bytes take four times as long"};
  }
  if (ExtentOf(options.preset, mode) == Extent::kLarge) {
    return {kBigFile, "Python keeps several copies of a file in memory"};
  }
  return {kMiddleFile, "the chunks of larger ones take Python seconds"};
}

Limit ConnectionLimit(const Options&, const ServerMode& mode) {
  if (mode.traits.connections_at_once == 1) {
    return {1, "the server takes one connection at a time", true};
  }
  return {};
}

Limit ClientLimit(const Options& options, const ServerMode& mode) {
  if (const Limit limit = ConnectionLimit(options, mode); limit.always) return limit;
  if (mode.software.is_python() && ExtentOf(options.preset, mode) != Extent::kLarge) {
    return {32, "the requests of more take turns at Python's interpreter for seconds"};
  }
  return {};
}

std::vector<std::int64_t> UpTo(std::int64_t most, std::vector<std::int64_t> values) {
  std::erase_if(values, [most](std::int64_t value) { return value > most; });
  return values;
}

std::vector<std::uint64_t> FlaggedPayloads(const Options& options) {
  return {options.payload_bytes.begin(), options.payload_bytes.end()};
}

// Those of the numbers of clients that the server takes at once.
std::vector<std::int64_t> ServedOf(std::vector<std::int64_t> clients, const ServerMode& mode) {
  std::erase_if(clients, [&](std::int64_t count) {
    return static_cast<std::size_t>(count) > mode.traits.connections_at_once;
  });
  return clients;
}

// A type whose rows have limits.
struct LimitedType {
  std::string name;
  std::vector<std::int64_t> (*preset_values)(Extent extent);
  Limit (*limit)(const Options& options, const ServerMode& mode);
  std::string (*describe)(std::int64_t most);
  std::string flag;                          // by which the user has his own list
  const std::vector<std::int64_t>& flagged;  // that list; empty if the preset's holds
};

std::string FilesUpTo(std::int64_t most) {
  return "files up to " + std::to_string(most / kMib) + " MiB";
}
std::string ClientsUpTo(std::int64_t most) {
  return most == 1 ? "1 client" : "up to " + std::to_string(most) + " clients";
}

bool HasRows(const std::vector<std::string>& rows, const std::string& prefix) {
  return std::ranges::any_of(rows, [&](const auto& row) { return row.starts_with(prefix); });
}

std::vector<std::string> DescribeLimits(const LimitedType& type, const Options& options,
                                        const std::vector<std::string>& rows) {
  std::vector<std::pair<std::string, std::string>> limits;  // what is said, and of which modes
  for (const ServerMode& mode : kServerModes) {
    const std::string name(mode.name);
    if (!HasRows(rows, type.name + '/' + name + '/')) continue;
    const Limit limit = type.limit(options, mode);
    if (!type.flagged.empty() && !limit.always) continue;
    const std::vector<std::int64_t> wanted =
        type.flagged.empty() ? type.preset_values(ExtentOf(options.preset, mode)) : type.flagged;
    if (limit.most >= std::ranges::max(wanted)) continue;
    std::string said = type.describe(limit.most) + ", for " + std::string(limit.reason);
    if (!limit.always) said += "; " + type.flag + " has others";
    const auto same = std::ranges::find(limits, said, &decltype(limits)::value_type::first);
    if (same == limits.end()) {
      limits.emplace_back(said, name);
    } else {
      same->second += ", " + name;
    }
  }
  std::vector<std::string> lines;
  for (const auto& [said, modes] : limits)
    lines.push_back(type.name + " of " + modes + ": " + said);
  return lines;
}

}  // namespace

std::vector<std::uint64_t> EchoSizes(const Options& options, const ServerMode& mode) {
  if (!options.payload_bytes.empty()) return FlaggedPayloads(options);
  if (ExtentOf(options.preset, mode) == Extent::kSmall) return {64, kKib};
  return {64, kKib, 10 * kKib, 100 * kKib};
}

std::vector<std::uint64_t> BandwidthSizes(const Options& options, const ServerMode& mode) {
  if (!options.payload_bytes.empty()) return FlaggedPayloads(options);
  if (ExtentOf(options.preset, mode) == Extent::kSmall) return {kKib, 100 * kKib};
  return {kKib, 10 * kKib, 100 * kKib, kMib};
}

std::vector<std::int64_t> FileSizes(const Options& options, const ServerMode& mode) {
  if (!options.file_bytes.empty()) return options.file_bytes;
  return UpTo(FileLimit(options, mode).most, PresetFiles(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> ClientCounts(const Options& options, const ServerMode& mode) {
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  return UpTo(ClientLimit(options, mode).most, PresetClients(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> EventDrivenClientCounts(const Options& options, const ServerMode& mode) {
  if (mode.software.is_python()) return {};
  std::vector<std::int64_t> counts;
  if (options.preset == Preset::kFull) {
    counts = UpTo(mode.traits.event_driven_in_full, {1, 10, 100, 1'000, 10'000});
  } else if (options.preset == Preset::kDefault && mode.traits.event_driven_in_default > 0) {
    counts = {mode.traits.event_driven_in_default};
  }
  if (!counts.empty() && !options.clients.empty()) return ServedOf(options.clients, mode);
  return counts;
}

std::vector<std::int64_t> GeneratorConnections(const Options& options, const ServerMode& mode) {
  if (options.preset != Preset::kFull || !mode.traits.beside_wrk) return {};
  return {1, 64, 1'000};
}

std::vector<std::int64_t> ComputeClientCounts(const Options& options, const ServerMode& mode) {
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  return UpTo(ConnectionLimit(options, mode).most,
              PresetComputeClients(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> OpenLoopLoads(const Options& options, const ServerMode& mode) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, mode.name) != names.end();
  };
  switch (options.preset) {
    case Preset::kQuick:
      if (is_one_of({"rpyc_threaded"})) return {50};
      return {};
    case Preset::kDefault:
      if (is_one_of({"rpyc_threaded", "rpyc_async", "http_threaded"})) return {50, 80};
      return {};
    case Preset::kClassic:
      return {};
    case Preset::kFull:
      break;
  }
  if (mode.software.is_python() && !is_one_of({"pyrpyc_threaded", "flask_waitress"})) return {};
  return {50, 80, 95};
}

std::int64_t OpenLoopWindowMs(const Options& options) {
  if (options.window_ms) return *options.window_ms;
  if (options.preset == Preset::kQuick) return 200;
  return options.preset == Preset::kDefault ? 300 : 1'000;
}

bool HasStallsRow(const Options& options, const ServerMode& mode) {
  constexpr std::string_view kModes[] = {"tcp_threaded", "rpyc_threaded", "rpyc_async",
                                         "http_threaded"};
  return options.preset == Preset::kFull && std::ranges::count(kModes, mode.name) > 0;
}

bool HasMaxRateRow(const Options& options, const ServerMode& mode) {
  if (options.preset == Preset::kDefault) return mode.name == "rpyc_threaded";
  return options.preset == Preset::kFull && !OpenLoopLoads(options, mode).empty();
}

std::size_t OpenLoopConnections(const Options& options, const ServerMode& mode) {
  const std::int64_t usual = mode.software.is_python() ? 16 : 64;
  return std::min(static_cast<std::size_t>(options.open_loop_connections.value_or(usual)),
                  mode.traits.connections_at_once);
}

std::vector<std::string> CalibrationTruths(const Options& options, const ServerMode& mode) {
  if (mode.software.is_python()) return {};  // they have no known delay
  if (options.preset != Preset::kFull) return {};
  return {"spin_uniform", "spin_bimodal", "sleep_constant"};
}

std::vector<std::string> DescribeLimits(const Options& options,
                                        const std::vector<std::string>& rows) {
  std::vector<std::string> lines;
  const auto add = [&](const LimitedType& type) {
    for (std::string& line : DescribeLimits(type, options, rows)) lines.push_back(std::move(line));
  };
  add({"BinaryTransfer", PresetFiles, FileLimit, FilesUpTo, "--file_bytes", options.file_bytes});
  add({"Concurrent", PresetClients, ClientLimit, ClientsUpTo, "--clients", options.clients});
  add({"Compute", PresetComputeClients, ConnectionLimit, ClientsUpTo, "--clients",
       options.clients});
  return lines;
}

}  // namespace rpycbench
