// BinaryTransfer: whole files in one call, and the same files in chunks, as each protocol moves
// chunks. RPyC passes a list by reference and fetches item by item. HTTP sends one JSON document of
// hex strings. The floor sends one chunk after the other. RPyC's variants show what the references
// cost: the same chunks in a tuple, which crosses by value, and fetched in bulk. The clock stops
// when the last byte is in memory; contents are verified afterwards.
#include <string>
#include <type_traits>
#include <vector>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

// A small file shows the cost of a reference as well; only `full` has more of these rows.
bool HasVariants(const Options& options, bool first_size) {
  return options.preset == Preset::kFull || first_size;
}

template <class Client>
void RegisterTransferRows(const Suite& suite, const ServerMode& mode) {
  const Options& options = suite.options;
  const auto chunk_bytes = static_cast<std::uint64_t>(options.chunk_bytes);
  const std::string chunked = "chunk_bytes=" + std::to_string(chunk_bytes);
  const std::vector<std::int64_t> sizes = FileSizes(options, mode);
  for (const std::int64_t file_bytes : sizes) {
    const auto size = static_cast<std::uint64_t>(file_bytes);
    const auto file = service::Payload::Of(options.payload, size);
    const service::Chunks chunks{file, chunk_bytes};
    const auto add = [&](const std::string& variant, auto call, auto check,
                         const std::string& conditions = "") {
      RegisterCallRow<Client>(
          suite,
          "BinaryTransfer/" + std::string(mode.name) + "/" + variant + "/" + std::to_string(size),
          mode,
          {.placement = Placement::kFree,
           .bytes_per_call = size,
           .tail = Tail::kP50,
           .conditions = conditions},
          options.file_iterations, call, check);
    };
    const auto all_received = [size](std::uint64_t reply) { return reply == size; };
    const auto right_bytes = [file](std::string_view reply) { return file.Matches(reply); };
    add(
        "upload", [file](Client& client) { return client.UploadFile(file); }, all_received);
    add(
        "download", [size](Client& client) { return client.DownloadFile(size); }, right_bytes);
    if (options.preset == Preset::kQuick) continue;  // a first look leaves chunks out
    add(
        "upload_chunked", [chunks](Client& client) { return client.UploadFileChunked(chunks); },
        all_received, chunked);
    add(
        "download_chunked",
        [size, chunk_bytes](Client& client) {
          return client.DownloadFileChunked(size, chunk_bytes);
        },
        right_bytes, chunked);
    if constexpr (std::is_same_v<Client, RpycClient>) {
      if (!HasVariants(options, file_bytes == sizes.front())) continue;
      add(
          "upload_chunked_by_value",
          [chunks](Client& client) { return client.UploadFileChunkedByValue(chunks); },
          all_received, chunked);
      add(
          "download_chunked_buffiter",
          [size, chunk_bytes](Client& client) {
            return client.DownloadFileChunkedBuffered(size, chunk_bytes);
          },
          right_bytes, chunked);
    }
  }
}

void RegisterBinaryTransfer(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    RegisterTransferRows<Client>(suite, mode);
  });
}

}  // namespace

extern const BenchmarkType kBinaryTransferType{
    {.name = "BinaryTransfer",
     .timed = "one file",
     .variants = "`upload`, `download`, `upload_chunked`, `download_chunked`; RPyC "
                 "`upload_chunked_by_value`, `download_chunked_buffiter`",
     .primary = kByteRate,
     .precision = 0.03,
     .flags = {"--file_bytes", "--file_iterations", "--chunk_bytes"}},
    RegisterBinaryTransfer};

}  // namespace rpycbench
