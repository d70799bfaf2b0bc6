// What each preset measures, as tables: each mode's extent, the modes of types that measure few,
// and the sizes and client counts. A mode that could not finish the largest of them gets fewer.
// DescribeLimits gives the reason, so that rows are never left out silently.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures/options.h"
#include "fixtures/server_mode.h"

namespace rpycbench {

// How many of a type's sizes and client counts a mode is measured with.
enum class Extent { kNone, kSmall, kMedium, kLarge };
std::string_view ToString(Extent extent);

// Returns what a mode has in a preset; kNone means that it has no rows there.
Extent ExtentOf(Preset preset, const ServerMode& mode);

// Returns whether a type that measures few modes has rows of this one. `rows` is the type's name,
// or "type/variant" for a variant that few modes have.
bool HasRows(std::string_view rows, Preset preset, const ServerMode& mode);

// Returns the payload sizes in bytes for Latency's echo, and for Bandwidth: those of
// --payload_bytes, or else the preset's.
std::vector<std::uint64_t> EchoSizes(const Options& options, const ServerMode& mode);
std::vector<std::uint64_t> BandwidthSizes(const Options& options, const ServerMode& mode);

// Return the preset's numbers of objects in Objects' lists, of calls back in Callback, and of calls
// in flight in Pipelined.
std::vector<std::uint64_t> ObjectCounts(const Options& options, const ServerMode& mode);
std::vector<std::uint64_t> CallbackCounts(const Options& options, const ServerMode& mode);
std::vector<std::uint64_t> PipelineDepths(const Options& options, const ServerMode& mode);
// Return the RTTs of Link's and PyLink's rows: those of --rtt, or else the preset's.
// AllLinkRtts has those of every row.
std::vector<std::chrono::nanoseconds> AllLinkRtts(const Options& options);
std::vector<std::chrono::nanoseconds> LinkRtts(const Options& options, const ServerMode& mode);
std::vector<std::chrono::nanoseconds> PyLinkRtts(const Options& options, const ServerMode& mode);
// The size of their uploads in bytes. TCP waits for acknowledgements before it has sent so much.
inline constexpr std::uint64_t kLinkUploadBytes = 200'000;

// Return the numbers of clients that wait at once in Sleep, and of threads of a Python client:
// those of --clients, or else the preset's.
std::vector<std::int64_t> SleepClientCounts(const Options& options, const ServerMode& mode);
std::vector<std::int64_t> PythonThreadCounts(const Options& options, const ServerMode& mode);

// Returns BinaryTransfer's sizes in bytes: those of --file_bytes, or else the preset's.
std::vector<std::int64_t> FileSizes(const Options& options, const ServerMode& mode);

// Returns Concurrent's client counts: those of --clients, or else the preset's. None exceeds what
// the mode serves at once.
std::vector<std::int64_t> ClientCounts(const Options& options, const ServerMode& mode);
// Returns the numbers of Concurrent's event-driven clients, or of those that --clients gives.
// `full` goes up to as many as the mode is made for, `default` has one number. Modes without such
// rows get none.
std::vector<std::int64_t> EventDrivenClientCounts(const Options& options, const ServerMode& mode);
// Returns Generator's numbers of connections.
std::vector<std::int64_t> GeneratorConnections(const Options& options, const ServerMode& mode);
// Returns Compute's client counts, of which a few are enough to occupy all CPUs. --clients and the
// mode's limit apply as to ClientCounts.
std::vector<std::int64_t> ComputeClientCounts(const Options& options, const ServerMode& mode);

// Returns the loads of OpenLoop, in percent of the maximum rate of the mode's server. Modes without
// such rows get none.
std::vector<std::int64_t> OpenLoopLoads(const Options& options, const ServerMode& mode);
// Returns how long the calls of a window arrive, in ms.
std::int64_t OpenLoopWindowMs(const Options& options);
// Returns the connections of OpenLoop and MaxRate: those of --open_loop_connections, or as many as
// the mode is made for.
std::size_t OpenLoopConnections(const Options& options, const ServerMode& mode);

// Returns the sizes in bytes for BodyStyle, and for Compression.
std::vector<std::uint64_t> BodySizes(Preset preset);
std::vector<std::uint64_t> CompressedSizes(Preset preset);
// The sizes of ChunkSize in bytes: the file, and its chunks.
struct ChunkSizes {
  std::uint64_t file;
  std::vector<std::uint64_t> chunks;
};
ChunkSizes ChunkSizesOf(Preset preset);

// Returns a line, with the reason, for each type and limit that excluded modes from rows of the
// preset or of --clients. `rows` are the names of those that remain. Modes without any row are not
// mentioned.
std::vector<std::string> DescribeLimits(const Options& options,
                                        const std::vector<std::string>& rows);

}  // namespace rpycbench
