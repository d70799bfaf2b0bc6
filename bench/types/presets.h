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

// In bytes, of Latency's echo and of Bandwidth: those of --payload_bytes, or else the preset's.
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

// Of OpenLoop: the shares of the maximum, in percent, that the mode's server is loaded with. None
// for modes that have no such rows: all native ones have them in `full`, and two in Python.
std::vector<std::int64_t> OpenLoopLoads(const Options& options, const ServerMode& mode);
// How long the calls of a window come.
std::int64_t OpenLoopWindowMs(const Options& options);
// Whether the mode has OpenLoop's row of a server that stalls, which takes seconds, and MaxRate's.
bool HasStallsRow(const Options& options, const ServerMode& mode);
bool HasMaxRateRow(const Options& options, const ServerMode& mode);
// Of OpenLoop and MaxRate: those of --open_loop_connections, or as many as the mode is made for.
std::size_t OpenLoopConnections(const Options& options, const ServerMode& mode);
// The truths of Calibration that the mode is held against, as calibration.h has them.
std::vector<std::string> CalibrationTruths(const Options& options, const ServerMode& mode);

// A line for each type and limit that left the modes out of some of the preset's rows, or of those
// that --clients asks for, with the reason. `rows` are the names of those that stayed; modes
// without any are not spoken of.
std::vector<std::string> DescribeLimits(const Options& options,
                                        const std::vector<std::string>& rows);

}  // namespace rpycbench
