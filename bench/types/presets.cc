#include "bench/types/presets.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace rpycbench {
namespace {

using enum Extent;

// The extent of each mode in quick, default, classic and full. Of quick, default and full, each
// includes what the one before it has.
constexpr struct {
  std::string_view mode;
  std::array<Extent, 4> extents;
} kExtents[] = {
    {"tcp_threaded", {kSmall, kMedium, kLarge, kLarge}},
    {"tcp_forking", {kNone, kSmall, kLarge, kLarge}},
    {"tcp_threadpool", {kNone, kSmall, kNone, kLarge}},
    {"tcp_async", {kNone, kSmall, kNone, kLarge}},
    {"rpyc_threaded", {kSmall, kMedium, kLarge, kLarge}},
    {"rpyc_forking", {kSmall, kMedium, kLarge, kLarge}},
    {"rpyc_threadpool", {kNone, kSmall, kNone, kLarge}},
    {"rpyc_async", {kSmall, kMedium, kNone, kLarge}},
    {"http_threaded", {kSmall, kMedium, kLarge, kLarge}},
    {"http_forking", {kNone, kSmall, kNone, kLarge}},
    {"http_threadpool", {kNone, kSmall, kNone, kLarge}},
    {"http_async", {kNone, kSmall, kNone, kLarge}},
    {"pyrpyc_threaded", {kSmall, kMedium, kLarge, kLarge}},
    {"pyrpyc_forking", {kNone, kSmall, kLarge, kLarge}},
    // It notices a paused client at the end of a poll of 0.1 s, so many rows would take minutes.
    {"pyrpyc_threadpool", {kNone, kNone, kNone, kSmall}},
    {"pyrpyc_oneshot", {kNone, kNone, kNone, kSmall}},
    {"flask_threaded", {kSmall, kMedium, kLarge, kLarge}},
    {"flask_waitress", {kNone, kSmall, kNone, kLarge}},
};

// Types, and variants, that measure few modes: the modes, and the first of the presets quick,
// default and full that has them. "native" means all modes of the native server.
constexpr struct {
  std::string_view rows;
  Preset from;
  std::string_view modes;  // between spaces
} kFewModes[] = {
    {"Latency/getattr", Preset::kDefault,
     "tcp_threaded rpyc_threaded http_threaded pyrpyc_threaded"},
    {"Latency/getattr", Preset::kFull, "native pyrpyc_forking flask_threaded flask_waitress"},
    {"Objects", Preset::kDefault, "tcp_threaded rpyc_threaded http_threaded pyrpyc_threaded"},
    {"Objects", Preset::kFull, "rpyc_async rpyc_forking flask_threaded flask_waitress"},
    {"Callback", Preset::kDefault, "tcp_threaded rpyc_threaded pyrpyc_threaded"},
    {"Callback", Preset::kFull, "native"},
    {"Pipelined", Preset::kDefault, "tcp_threaded rpyc_threaded http_threaded"},
    {"Pipelined", Preset::kFull, "native pyrpyc_threaded flask_waitress"},
    {"Sleep", Preset::kDefault, "rpyc_threaded rpyc_threadpool rpyc_async http_threaded"},
    {"Sleep", Preset::kFull, "native pyrpyc_threaded flask_threaded flask_waitress"},
    {"PyLatency", Preset::kDefault, "rpyc_threaded http_threaded pyrpyc_threaded flask_threaded"},
    {"PyLatency", Preset::kFull, "rpyc_async http_async pyrpyc_forking flask_waitress"},
    {"PyObjects", Preset::kDefault, "rpyc_threaded pyrpyc_threaded"},
    {"PyObjects", Preset::kFull, "http_threaded flask_threaded flask_waitress"},
    {"PyConcurrent", Preset::kDefault, "rpyc_threaded pyrpyc_threaded"},
    {"PyConcurrent", Preset::kFull,
     "rpyc_async http_threaded http_async pyrpyc_forking flask_threaded flask_waitress"},
    {"SharedConnection", Preset::kDefault, "pyrpyc_threaded"},
    {"SharedConnection", Preset::kFull, "rpyc_threaded"},
    {"Link", Preset::kFull,
     "tcp_threaded rpyc_threaded http_threaded pyrpyc_threaded flask_threaded flask_waitress"},
    {"PyLink", Preset::kFull,
     "rpyc_threaded http_threaded pyrpyc_threaded flask_threaded flask_waitress"},
    {"SocketPolicy", Preset::kQuick, "rpyc_threaded"},
    {"SocketPolicy", Preset::kDefault, "tcp_threaded http_threaded"},
    {"SocketPolicy", Preset::kFull, "pyrpyc_threaded"},
    {"AddressFamily", Preset::kDefault, "tcp_threaded rpyc_threaded http_threaded"},
    {"Transport", Preset::kDefault, "tcp_threaded rpyc_threaded http_threaded"},
    {"Transport", Preset::kFull, "native pyrpyc_threaded flask_threaded"},
    {"ConnectionReuse", Preset::kDefault, "tcp_threaded rpyc_threaded http_threaded"},
    {"ConnectionReuse", Preset::kFull, "tcp_forking rpyc_forking http_forking"},
    {"BodyStyle", Preset::kDefault, "http_threaded"},
    {"BodyStyle", Preset::kFull, "http_async"},
    {"Compression", Preset::kDefault, "rpyc_threaded"},
    {"ChunkSize", Preset::kDefault, "rpyc_threaded http_threaded"},
    {"ChunkSize", Preset::kFull, "tcp_threaded"},
    {"Concurrent/event_driven", Preset::kDefault, "rpyc_async http_async"},
    {"Concurrent/event_driven", Preset::kFull, "native"},
    {"Generator", Preset::kFull, "http_threaded http_async"},
    {"OpenLoop", Preset::kQuick, "rpyc_threaded"},
    {"OpenLoop", Preset::kDefault, "rpyc_async http_threaded"},
    {"OpenLoop", Preset::kFull, "native pyrpyc_threaded flask_waitress"},
    {"OpenLoop/stalls", Preset::kFull, "tcp_threaded rpyc_threaded rpyc_async http_threaded"},
    {"MaxRate", Preset::kDefault, "rpyc_threaded"},
    {"MaxRate", Preset::kFull, "native pyrpyc_threaded flask_waitress"},
    {"Calibration", Preset::kFull, "native"},
};

// Returns whether `preset` includes what `from` has. classic has only rows of other types.
bool Includes(Preset preset, Preset from) {
  constexpr std::array kGrowing{Preset::kQuick, Preset::kDefault, Preset::kFull};
  const auto place = [&](Preset one) { return std::ranges::find(kGrowing, one); };
  return place(preset) != kGrowing.end() && place(from) <= place(preset);
}

bool HasWord(std::string_view words, std::string_view word) {
  return (' ' + std::string(words) + ' ').find(' ' + std::string(word) + ' ') != std::string::npos;
}

constexpr std::int64_t kKib = 1024;
constexpr std::int64_t kMib = 1024 * kKib;
constexpr std::int64_t kSmallFile = 1'572'864;
constexpr std::int64_t kMiddleFile = 16 * kMib;
constexpr std::int64_t kBigFile = 128 * kMib;
constexpr std::int64_t kHugeFile = 524'288'000;

// Returns the preset's list, for a server that can take it all. Python stops at the middle file.
// The other modes have that one, too, because a ratio needs rows of the same size.
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

// The most that a mode gets of the preset's list, and the reason.
struct Limit {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view reason = {};
  bool always = false;  // whatever the flags say
};

Limit FileLimit(const Options& options, const ServerMode& mode) {
  if (!mode.software.is_python()) {
    const bool shortened = ExtentOf(options.preset, mode) == Extent::kMedium;
    if (!shortened || mode.model == "threaded") return {};
    return {kMiddleFile, "larger ones take the same path in every model"};
  }
  const bool zeros = options.payload == service::PayloadKind::kZeros;
  if (mode.protocol == Protocol::kRpyc && !zeros) {
    return {kMiddleFile,
            "rpyc copies the rest of a message for each 64,000 bytes of it that it sends, so that "
            "twice the bytes take four times as long"};
  }
  if (ExtentOf(options.preset, mode) != Extent::kLarge) {
    return {kMiddleFile, "the chunks of larger ones take Python seconds"};
  }
  if (mode.model == "waitress") {
    return {kBigFile, "500 MB in chunks take Waitress 12 GB of memory"};
  }
  if (!zeros) {
    return {kBigFile,
            "500 MB in chunks take Flask 5 GB of memory and 10 s; --payload=zeros has them"};
  }
  return {};
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
    return {32, "the requests of more clients share Python's interpreter for seconds"};
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

// Returns those client counts that the server takes at once.
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
  std::string flag;                          // the flag that sets the user's own list
  const std::vector<std::int64_t>& flagged;  // that list; empty if the preset's holds
};

std::string FilesUpTo(std::int64_t most) {
  return "files up to " + std::to_string(most / kMib) + " MiB";
}
std::string ClientsUpTo(std::int64_t most) {
  return most == 1 ? "1 client" : "up to " + std::to_string(most) + " clients";
}

bool HasAny(const std::vector<std::string>& rows, const std::string& prefix) {
  return std::ranges::any_of(rows, [&](const auto& row) { return row.starts_with(prefix); });
}

std::vector<std::string> DescribeLimits(const LimitedType& type, const Options& options,
                                        const std::vector<std::string>& rows) {
  std::vector<std::pair<std::string, std::string>> limits;  // each text, and its modes
  for (const ServerMode& mode : kServerModes) {
    const std::string name(mode.name);
    if (!HasAny(rows, type.name + '/' + name + '/')) continue;
    const Limit limit = type.limit(options, mode);
    if (!type.flagged.empty() && !limit.always) continue;
    const std::vector<std::int64_t> wanted =
        type.flagged.empty() ? type.preset_values(ExtentOf(options.preset, mode)) : type.flagged;
    if (limit.most >= std::ranges::max(wanted)) continue;
    std::string said = type.describe(limit.most) + ", for " + std::string(limit.reason);
    if (!limit.always) said += "; " + type.flag + " selects others";
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

std::string_view ToString(Extent extent) {
  constexpr std::array<std::string_view, 4> kNames{"none", "small", "medium", "large"};
  return kNames[static_cast<std::size_t>(extent)];
}

Extent ExtentOf(Preset preset, const ServerMode& mode) {
  for (const auto& [name, extents] : kExtents) {
    if (name != mode.name) continue;
    switch (preset) {
      case Preset::kQuick:
        return extents[0];
      case Preset::kDefault:
        return extents[1];
      case Preset::kClassic:
        return extents[2];
      case Preset::kFull:
        return extents[3];
    }
  }
  return kNone;
}

bool HasRows(std::string_view rows, Preset preset, const ServerMode& mode) {
  return std::ranges::any_of(kFewModes, [&](const auto& entry) {
    return entry.rows == rows && Includes(preset, entry.from) &&
           (HasWord(entry.modes, mode.name) ||
            (!mode.software.is_python() && HasWord(entry.modes, "native")));
  });
}

std::vector<std::uint64_t> EchoSizes(const Options& options, const ServerMode& mode) {
  if (!options.payload_bytes.empty()) return FlaggedPayloads(options);
  if (options.preset == Preset::kQuick) return {kKib};
  if (ExtentOf(options.preset, mode) == Extent::kSmall) return {64, kKib};
  return {64, kKib, 10 * kKib, 100 * kKib};
}

namespace {

std::vector<std::uint64_t> CountsOf(std::string_view type, const Options& options,
                                    const ServerMode& mode) {
  if (!HasRows(type, options.preset, mode)) return {};
  if (options.preset == Preset::kDefault) return {10};
  return {1, 10, 100};
}

}  // namespace

std::vector<std::uint64_t> ObjectCounts(const Options& options, const ServerMode& mode) {
  return CountsOf("Objects", options, mode);
}

std::vector<std::uint64_t> CallbackCounts(const Options& options, const ServerMode& mode) {
  return CountsOf("Callback", options, mode);
}

std::vector<std::uint64_t> PipelineDepths(const Options& options, const ServerMode& mode) {
  return CountsOf("Pipelined", options, mode);
}

namespace {

std::vector<std::chrono::nanoseconds> RttsOf(std::string_view type, const Options& options,
                                             const ServerMode& mode) {
  const Preset preset = options.rtts.empty() ? options.preset : Preset::kFull;
  if (!HasRows(type, preset, mode)) return {};
  return AllLinkRtts(options);
}

}  // namespace

std::vector<std::chrono::nanoseconds> AllLinkRtts(const Options& options) {
  using std::chrono::milliseconds;
  if (!options.rtts.empty()) return options.rtts;
  return {milliseconds(0), milliseconds(1), milliseconds(20)};
}

std::vector<std::chrono::nanoseconds> LinkRtts(const Options& options, const ServerMode& mode) {
  return RttsOf("Link", options, mode);
}

std::vector<std::chrono::nanoseconds> PyLinkRtts(const Options& options, const ServerMode& mode) {
  return RttsOf("PyLink", options, mode);
}

std::vector<std::int64_t> SleepClientCounts(const Options& options, const ServerMode& mode) {
  if (!HasRows("Sleep", options.preset, mode)) return {};
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  if (options.preset == Preset::kDefault) return ServedOf({128}, mode);
  return ServedOf({1, 10, 128}, mode);
}

std::vector<std::int64_t> PythonThreadCounts(const Options& options, const ServerMode& mode) {
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  if (options.preset == Preset::kDefault) return ServedOf({10}, mode);
  return ServedOf({1, 10, 32}, mode);
}

std::vector<std::uint64_t> BandwidthSizes(const Options& options, const ServerMode& mode) {
  if (!options.payload_bytes.empty()) return FlaggedPayloads(options);
  // Bytes take the same path in every model.
  if (options.preset == Preset::kQuick && mode.model != "threaded") return {};
  if (ExtentOf(options.preset, mode) == Extent::kSmall) return {kKib, 100 * kKib};
  return {kKib, 10 * kKib, 100 * kKib, kMib};
}

std::vector<std::int64_t> FileSizes(const Options& options, const ServerMode& mode) {
  if (!options.file_bytes.empty()) return options.file_bytes;
  // As BandwidthSizes.
  if (options.preset == Preset::kQuick && mode.model != "threaded") return {};
  return UpTo(FileLimit(options, mode).most, PresetFiles(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> ClientCounts(const Options& options, const ServerMode& mode) {
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  // A single client measures above all on which CPU the scheduler lets the server run.
  if (options.preset == Preset::kQuick) return ServedOf({10}, mode);
  return UpTo(ClientLimit(options, mode).most, PresetClients(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> EventDrivenClientCounts(const Options& options, const ServerMode& mode) {
  if (!HasRows("Concurrent/event_driven", options.preset, mode)) return {};
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  if (options.preset == Preset::kDefault) return ServedOf({100}, mode);
  // Forking is not made for one process per connection at ten thousand connections.
  const std::int64_t most = mode.traits.process_per_connection ? 1'000 : 10'000;
  return ServedOf(UpTo(most, {1, 10, 100, 1'000, 10'000}), mode);
}

std::vector<std::int64_t> GeneratorConnections(const Options& options, const ServerMode& mode) {
  if (!HasRows("Generator", options.preset, mode)) return {};
  return {1, 64, 1'000};
}

std::vector<std::int64_t> ComputeClientCounts(const Options& options, const ServerMode& mode) {
  if (!options.clients.empty()) return ServedOf(options.clients, mode);
  if (options.preset == Preset::kQuick) return ServedOf({4}, mode);  // as ClientCounts
  return UpTo(ConnectionLimit(options, mode).most,
              PresetComputeClients(ExtentOf(options.preset, mode)));
}

std::vector<std::int64_t> OpenLoopLoads(const Options& options, const ServerMode& mode) {
  if (!HasRows("OpenLoop", options.preset, mode)) return {};
  if (options.preset == Preset::kQuick) return {50};
  if (options.preset == Preset::kDefault) return {50, 80};
  return {50, 80, 95};
}

std::int64_t OpenLoopWindowMs(const Options& options) {
  if (options.window_ms) return *options.window_ms;
  if (options.preset == Preset::kQuick) return 200;
  return options.preset == Preset::kDefault ? 300 : 1'000;
}

std::size_t OpenLoopConnections(const Options& options, const ServerMode& mode) {
  const std::int64_t usual = mode.software.is_python() ? 16 : 64;
  return std::min(static_cast<std::size_t>(options.open_loop_connections.value_or(usual)),
                  mode.traits.connections_at_once);
}

std::vector<std::uint64_t> BodySizes(Preset preset) {
  if (preset == Preset::kFull) return {65'536, 1'572'864, 16'777'216};
  return {1'572'864};
}

std::vector<std::uint64_t> CompressedSizes(Preset preset) {
  if (preset == Preset::kFull) return {1'024, 16'384, 65'536, 1'048'576};
  return {65'536};
}

ChunkSizes ChunkSizesOf(Preset preset) {
  if (preset == Preset::kFull) return {16'777'216, {4'096, 16'384, 65'536, 262'144, 1'048'576}};
  return {1'572'864, {4'096, 1'048'576}};
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
