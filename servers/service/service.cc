#include "servers/service/service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "servers/net/linux_process.h"
#include "servers/net/wait.h"

namespace rpycbench::service {
namespace {

// The largest n for which Σ i² (i < n) fits a signed 64-bit integer.
constexpr std::int64_t kLargestCompute = 3'024'617;

}  // namespace

Service::Service(std::optional<PayloadKind> kind, Limits limits, bool crash_allowed,
                 KnownCosts known)
    : download_kind_(kind.value_or(PayloadKind::kLetterX)),
      file_kind_(kind.value_or(PayloadKind::kZeros)),
      limits_(limits),
      crash_allowed_(crash_allowed),
      known_(std::move(known)) {
  if (crash_allowed)
    return;  // clients wait for each restart of such a server, and ask it for no payload
  Payload::Prepare(download_kind_);
  Payload::Prepare(file_kind_);
}

bool ItemView::IsAt(std::uint64_t place) const {
  constexpr std::string_view kBegin = "item ";
  if (number != static_cast<std::int64_t>(place) || weight != static_cast<double>(place) + 0.5 ||
      !name.starts_with(kBegin)) {
    return false;
  }
  std::uint64_t named = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kBegin.size(), end, named);
  return error == std::errc{} && stop == end && named == place;
}

std::size_t Service::CheckedSize(std::int64_t size) const {
  if (size < 0) throw ValueError("size must not be negative: " + std::to_string(size));
  if (size > limits_.max_bytes) {
    throw ValueError("size " + std::to_string(size) + " is above the limit of " +
                     std::to_string(limits_.max_bytes) + " bytes");
  }
  return static_cast<std::size_t>(size);
}

void Service::CheckChunks(std::int64_t chunks) const {
  if (chunks > limits_.max_chunks) {
    throw ValueError(std::to_string(chunks) + " chunks are above the limit of " +
                     std::to_string(limits_.max_chunks));
  }
}

Payload Service::Download(std::int64_t size) const {
  return Payload::Of(download_kind_, CheckedSize(size));
}

Payload Service::DownloadFile(std::int64_t size) const {
  return Payload::Of(file_kind_, CheckedSize(size));
}

Chunks Service::DownloadFileChunked(std::int64_t size, std::int64_t chunk_bytes) const {
  const Payload whole = DownloadFile(size);
  if (chunk_bytes <= 0) {
    throw ValueError("chunk_size must be positive: " + std::to_string(chunk_bytes));
  }
  if (chunk_bytes > kMaxChunkBytes) {
    throw ValueError("chunk_size " + std::to_string(chunk_bytes) + " is above the limit of " +
                     std::to_string(kMaxChunkBytes) + " bytes");
  }
  const Chunks chunks{whole, static_cast<std::size_t>(chunk_bytes)};
  CheckChunks(static_cast<std::int64_t>(chunks.count()));
  return chunks;
}

std::int64_t Service::Compute(std::int64_t n) const {
  if (n < 0) throw ValueError("n must not be negative: " + std::to_string(n));
  if (n > kLargestCompute) {
    throw ValueError("n must not be above " + std::to_string(kLargestCompute) +
                     ", beyond which the sum leaves 64 bits: " + std::to_string(n));
  }
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    sum += i * i;
    asm volatile("" : "+r"(sum));  // keeps the compiler from a closed form
  }
  return sum;
}

std::size_t Service::CheckedCount(std::int64_t count) const {
  if (count < 0) throw ValueError("count must not be negative: " + std::to_string(count));
  if (count > limits_.max_items) {
    throw ValueError("count " + std::to_string(count) + " is above the limit of " +
                     std::to_string(limits_.max_items));
  }
  return static_cast<std::size_t>(count);
}

Item Service::ItemAt(std::int64_t place) const {
  if (place < 0 || place >= limits_.max_items) {
    throw ValueError("there is no item " + std::to_string(place));
  }
  return Item(place);
}

void Service::Fail() const { throw ValueError("failed as asked"); }

double Service::Sleep(double seconds) const {
  if (!(seconds >= 0)) throw ValueError("sleep length must not be negative");
  if (!(seconds <= limits_.max_sleep_seconds)) {
    throw ValueError("sleep length is above the limit of " +
                     std::to_string(static_cast<std::int64_t>(limits_.max_sleep_seconds)) +
                     " seconds");
  }
  net::SleepFor(std::chrono::duration<double>(seconds));
  return seconds;
}

void Service::Crash() const {
  if (!crash_allowed_) throw ValueError("crash is not allowed here");
  net::LeaveNoCore();  // no client waits for it
  std::abort();
}

}  // namespace rpycbench::service
