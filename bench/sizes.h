// How large and how many: the sizes of payloads and files and the numbers of clients that a mode is
// measured with, by the extent it has in the preset. Where a mode could not finish the largest of
// them, it gets fewer, and DescribeLimits has the reason: fewer rows are never a silent choice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fixtures/options.h"
#include "fixtures/server_mode.h"

namespace rpycbench {

// In bytes, of Latency's echo and of Bandwidth.
std::vector<std::uint64_t> EchoSizes(const Options& options, const ServerMode& mode);
std::vector<std::uint64_t> BandwidthSizes(const Options& options, const ServerMode& mode);

// In bytes, of BinaryTransfer: those of --file_bytes, or else the preset's.
std::vector<std::int64_t> FileSizes(const Options& options, const ServerMode& mode);

// Of Concurrent: those of --clients, or else the preset's; never more than the mode serves at once.
std::vector<std::int64_t> ClientCounts(const Options& options, const ServerMode& mode);
// Of Concurrent's event-driven clients: those of --clients, or up to as many as the mode is made
// for in `full`, one number in `default` for few modes; none in other presets and of servers in
// Python.
std::vector<std::int64_t> EventDrivenClientCounts(const Options& options, const ServerMode& mode);
// Of Generator, in the preset `full`.
std::vector<std::int64_t> GeneratorConnections(const Options& options, const ServerMode& mode);
// Of Compute, where a few clients are enough to occupy all CPUs; likewise.
std::vector<std::int64_t> ComputeClientCounts(const Options& options, const ServerMode& mode);

// A line for each type and limit that left the modes out of some of the preset's rows, or of those
// that --clients asks for, with the reason. `rows` are the names of those that stayed; modes
// without any are not spoken of.
std::vector<std::string> DescribeLimits(const Options& options,
                                        const std::vector<std::string>& rows);

}  // namespace rpycbench
