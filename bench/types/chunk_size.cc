// ChunkSize: one file, cut into chunks of 4 KiB to 1 MiB. RPyC pays a round trip for each chunk of
// a list that it passes by reference. HTTP's JSON document pays almost nothing, and the floor a
// system call. The points where the curves meet help to choose a chunk size.
#include <string>
#include <vector>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

template <class Client>
void RegisterChunkRows(const Suite& suite, const ServerMode& mode) {
  const auto [size, all_chunk_bytes] = ChunkSizesOf(suite.options.preset);
  const auto file = service::Payload::Of(suite.options.payload, size);
  for (const std::uint64_t chunk_bytes : all_chunk_bytes) {
    const auto add = [&](const std::string& variant, auto call, auto check) {
      RegisterCallRow<Client>(suite,
                              "ChunkSize/" + std::string(mode.name) + "/" + variant +
                                  "/chunk:" + std::to_string(chunk_bytes),
                              mode,
                              {.placement = Placement::kFree,
                               .bytes_per_call = size,
                               .tail = Tail::kP50,
                               .conditions = "file_bytes=" + std::to_string(size)},
                              suite.options.file_iterations, call, check);
    };
    const service::Chunks chunks{file, chunk_bytes};
    add(
        "upload_chunked", [chunks](Client& client) { return client.UploadFileChunked(chunks); },
        [file](std::uint64_t reply) { return reply == file.size(); });
    add(
        "download_chunked",
        [file, chunk_bytes](Client& client) {
          return client.DownloadFileChunked(file.size(), chunk_bytes);
        },
        [file](std::string_view reply) { return file.Matches(reply); });
  }
}

void RegisterChunkSize(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    if (HasRows("ChunkSize", suite.options.preset, mode)) RegisterChunkRows<Client>(suite, mode);
  });
}

}  // namespace

extern const BenchmarkType kChunkSizeType{
    {.name = "ChunkSize",
     .timed = "one file in chunks",
     .variants = "`<upload_chunked|download_chunked>/chunk:<bytes>`",
     .primary = kByteRate,
     .precision = 0.03},
    RegisterChunkSize};

}  // namespace rpycbench
