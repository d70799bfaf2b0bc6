// The operations of the benchmark service, knowing no protocol: what is asked of every server,
// with the same limits and the same complaints. `echo` and `upload` have no entry: a protocol
// hands back the bytes, or their number, that it received.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "servers/service/delay.h"
#include "servers/service/injection.h"
#include "servers/service/payload.h"

namespace rpycbench::service {

// An argument that the service refuses: ValueError in RPyC, 400 in HTTP.
class ValueError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

struct Limits {
  std::int64_t max_bytes = std::int64_t{1} << 30;  // of one upload, download or file
  std::int64_t max_chunks = std::int64_t{1} << 20;
  double max_sleep_seconds = 3600;
};

// A payload cut into chunks of equal size, the last one shorter.
struct Chunks {
  Payload whole;
  std::size_t chunk_bytes;

  std::size_t count() const { return (whole.size() + chunk_bytes - 1) / chunk_bytes; }
  Payload at(std::size_t index) const {
    const std::size_t offset = index * chunk_bytes;
    return whole.Sub(offset, std::min(chunk_bytes, whole.size() - offset));
  }
};

// What operations cost beside themselves, to hold measurements against.
struct KnownCosts {
  std::shared_ptr<const Delay> delay = nullptr;  // of ping
  Injection injection = {};                      // of all
};

class Service {
 public:
  // Without a kind, `download` consists of the letter x and the file operations of zero bytes.
  // Only where `crash_allowed` is the operation `crash` there at all.
  explicit Service(std::optional<PayloadKind> kind = std::nullopt, Limits limits = {},
                   bool crash_allowed = false, KnownCosts known = {});

  const Limits& limits() const { return limits_; }
  bool crash_allowed() const { return crash_allowed_; }

  // For the protocols to apply, since some operations have no entry here.
  const Injection& injection() const { return known_.injection; }

  std::string_view Ping() const {
    if (known_.delay) [[unlikely]]
      known_.delay->Apply();
    return "pong";
  }
  // `size` bytes. Throws ValueError for a negative size or one above the limit.
  Payload Download(std::int64_t size) const;
  Payload DownloadFile(std::int64_t size) const;
  // The same of what a peer sends: `size` bytes of it, and `chunks` of a file. Throw ValueError.
  void CheckUpload(std::int64_t size) const { CheckedSize(size); }
  void CheckChunks(std::int64_t chunks) const;
  // Throws ValueError, too, for chunks of no size and for more chunks than the limit.
  Chunks DownloadFileChunked(std::int64_t size, std::int64_t chunk_bytes) const;
  // Sum of i² for 0 ≤ i < n, by adding: the work is the point.
  // Throws ValueError for a negative n and for one whose sum leaves 64 bits (above 3,024,617).
  std::int64_t Compute(std::int64_t n) const;
  // Sleeps, then returns `seconds`. Throws ValueError for negative, not finite or too long times.
  double Sleep(double seconds) const;
  // Ends this process by SIGABRT, without an answer and without a core file: what a fault in one
  // session does to the others is the point. Throws ValueError where it is not allowed.
  [[noreturn]] void Crash() const;

 private:
  std::size_t CheckedSize(std::int64_t size) const;

  PayloadKind download_kind_;
  PayloadKind file_kind_;
  Limits limits_;
  bool crash_allowed_;
  KnownCosts known_;
};

}  // namespace rpycbench::service
