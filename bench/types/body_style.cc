// BodyStyle: the same file through HTTP in three ways. It is a body of known length, or in chunked
// transfer coding (unknown length, a write for each chunk). Or it is hex digits in a JSON document,
// as in BinaryTransfer's chunked rows. Server, route and bytes are otherwise the same, so the
// difference is the cost of the encoding.
#include <string>
#include <type_traits>
#include <vector>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

void RegisterStyleRows(const Suite& suite, const ServerMode& mode) {
  const Options& options = suite.options;
  const auto chunk_bytes = static_cast<std::uint64_t>(options.chunk_bytes);
  const std::string in_chunks = "chunk_bytes=" + std::to_string(chunk_bytes);
  for (const std::uint64_t size : BodySizes(options.preset)) {
    const auto file = service::Payload::Of(options.payload, size);
    const service::Chunks chunks{file, chunk_bytes};
    const auto add = [&](const std::string& variant, auto call, auto check,
                         const std::string& conditions) {
      RegisterCallRow<HttpClient>(
          suite, "BodyStyle/" + std::string(mode.name) + "/" + variant + "/" + std::to_string(size),
          mode,
          {.placement = Placement::kFree,
           .bytes_per_call = size,
           .tail = Tail::kP50,
           .conditions = conditions},
          options.file_iterations, call, check);
    };
    const auto upload = [&](const std::string& style, auto call, const std::string& conditions) {
      add(
          style + "/upload", call, [size](std::uint64_t reply) { return reply == size; },
          conditions);
    };
    const auto download = [&](const std::string& style, auto call, const std::string& conditions) {
      add(
          style + "/download", call, [file](std::string_view reply) { return file.Matches(reply); },
          conditions);
    };
    upload(
        "raw", [file](HttpClient& client) { return client.UploadFile(file); }, "");
    download(
        "raw", [size](HttpClient& client) { return client.DownloadFile(size); }, "");
    upload(
        "chunked", [chunks](HttpClient& client) { return client.UploadFileStreamed(chunks); },
        in_chunks);
    download(
        "chunked",
        [size, chunk_bytes](HttpClient& client) {
          return client.DownloadFileStreamed(size, chunk_bytes);
        },
        in_chunks);
    upload(
        "hex_json", [chunks](HttpClient& client) { return client.UploadFileChunked(chunks); },
        in_chunks);
    download(
        "hex_json",
        [size, chunk_bytes](HttpClient& client) {
          return client.DownloadFileChunked(size, chunk_bytes);
        },
        in_chunks);
  }
}

void RegisterBodyStyle(const Suite& suite) {
  for (const ServerMode& mode : suite.modes) {
    if (HasRows("BodyStyle", suite.options.preset, mode)) RegisterStyleRows(suite, mode);
  }
}

}  // namespace

extern const BenchmarkType kBodyStyleType{
    {.name = "BodyStyle",
     .timed = "one file over HTTP",
     .variants = "`<raw|chunked|hex_json>/<upload|download>/<bytes>`",
     .primary = kByteRate,
     .has_floor = false,
     .precision = 0.03,
     .flags = {"--chunk_bytes"}},
    RegisterBodyStyle};

}  // namespace rpycbench
