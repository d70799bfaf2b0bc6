// What each preset measures, as tables: how much of it a mode takes part in, which modes the types
// have that measure few, and the sizes of payloads and files and the numbers of clients. Where a
// mode could not finish the largest of them, it gets fewer, and DescribeLimits has the reason:
// fewer rows are never a silent choice.
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

// What a mode has in a preset; kNone: it has no rows there.
Extent ExtentOf(Preset preset, const ServerMode& mode);

// Whether a type that measures few modes has rows of this one. `rows` is the type's name, or
// "type/variant" for a variant that few modes have.
bool HasRows(std::string_view rows, Preset preset, const ServerMode& mode);

// In bytes, of Latency's echo and of Bandwidth: those of --payload_bytes, or else the preset's.
std::vector<std::uint64_t> EchoSizes(const Options& options, const ServerMode& mode);
std::vector<std::uint64_t> BandwidthSizes(const Options& options, const ServerMode& mode);

// In bytes, of BinaryTransfer: those of --file_bytes, or else the preset's.
std::vector<std::int64_t> FileSizes(const Options& options, const ServerMode& mode);

// Of Concurrent: those of --clients, or else the preset's; never more than the mode serves at once.
std::vector<std::int64_t> ClientCounts(const Options& options, const ServerMode& mode);
// Of Concurrent's event-driven clients: those of --clients, or up to as many as the mode is made
// for in `full`, one number in `default`; none of modes that have no such rows.
std::vector<std::int64_t> EventDrivenClientCounts(const Options& options, const ServerMode& mode);
// Of Generator.
std::vector<std::int64_t> GeneratorConnections(const Options& options, const ServerMode& mode);
// Of Compute, where a few clients are enough to occupy all CPUs; likewise.
std::vector<std::int64_t> ComputeClientCounts(const Options& options, const ServerMode& mode);

// Of OpenLoop: the shares of the maximum, in percent, that the mode's server is loaded with; none
// for modes that have no such rows.
std::vector<std::int64_t> OpenLoopLoads(const Options& options, const ServerMode& mode);
// How long the calls of a window come.
std::int64_t OpenLoopWindowMs(const Options& options);
// Of OpenLoop and MaxRate: those of --open_loop_connections, or as many as the mode is made for.
std::size_t OpenLoopConnections(const Options& options, const ServerMode& mode);

// In bytes, of BodyStyle, and of Compression.
std::vector<std::uint64_t> BodySizes(Preset preset);
std::vector<std::uint64_t> CompressedSizes(Preset preset);
// Of ChunkSize, in bytes: the file, and its chunks.
struct ChunkSizes {
  std::uint64_t file;
  std::vector<std::uint64_t> chunks;
};
ChunkSizes ChunkSizesOf(Preset preset);

// A line for each type and limit that left the modes out of some of the preset's rows, or of those
// that --clients asks for, with the reason. `rows` are the names of those that stayed; modes
// without any are not spoken of.
std::vector<std::string> DescribeLimits(const Options& options,
                                        const std::vector<std::string>& rows);

}  // namespace rpycbench
