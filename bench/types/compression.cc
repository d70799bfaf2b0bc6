// Compression: what RPyC's compression gains and costs for different data. Zeros shrink to almost
// nothing, text shrinks, and on random bytes the work is wasted. The setting is Python's (frames
// over 3,000 bytes), none, or a threshold. The row's name has both the kind of data and the
// setting, and no flag changes them.
#include <string>
#include <vector>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

// About what loopback, whose MTU this is, carries in one segment.
constexpr rpyc::Compression kThreshold{65'536};

std::vector<rpyc::Compression> Settings(Preset preset) {
  if (preset == Preset::kFull) {
    return {rpyc::Compression::kPython, rpyc::Compression::kOff, kThreshold};
  }
  return {rpyc::Compression::kPython, rpyc::Compression::kOff};
}

// Returns the setting as it appears in the names of rows: "python", "off", "threshold_65536".
std::string NameOf(const rpyc::Compression& compression) {
  std::string name = ToString(compression);
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) name[colon] = '_';
  return name;
}

void RegisterCompressionRows(const Suite& suite, const ServerMode& mode) {
  const Options& options = suite.options;
  using enum service::PayloadKind;
  for (const service::PayloadKind kind : {kZeros, kText, kRandom}) {
    for (const rpyc::Compression& compression : Settings(options.preset)) {
      for (const std::uint64_t size : CompressedSizes(options.preset)) {
        RegisterCallRow<RpycClient>(
            suite,
            "Compression/" + std::string(mode.name) + "/" + std::string(ToString(kind)) + "/" +
                NameOf(compression) + "/" + std::to_string(size),
            mode,
            {.bytes_per_call = size,
             .tail = Tail::kP50,
             .client = {.compression = compression},
             .server_flags = {"--compression=" + ToString(compression)},
             .payload = kind},
            options.requests,
            // The warm-up call makes the block, because most runs, and clients that count, have no
            // use for it.
            [kind, size](RpycClient& client) {
              return client.Upload(service::Payload::Of(kind, size));
            },
            [size](std::uint64_t reply) { return reply == size; });
      }
    }
  }
}

void RegisterCompression(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (HasRows("Compression", suite.options.preset, mode)) RegisterCompressionRows(suite, mode);
  }
}

}  // namespace

extern const BenchmarkType kCompressionType{
    {.name = "Compression",
     .timed = "one upload by RPyC; what is sent × how it is compressed",
     .variants = "`<zeros|text|random>/<python|off|threshold_65536>/<bytes>`",
     .primary = kByteRate,
     .has_floor = false,
     .precision = 0.03},
    RegisterCompression};

}  // namespace rpycbench
