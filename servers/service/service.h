// The operations of the benchmark service, without any protocol. All servers offer the same
// operations with the same limits and the same errors. `echo` and `upload` have no function here,
// because a protocol returns the bytes it received, or their number.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "servers/service/delay.h"
#include "servers/service/injection.h"
#include "servers/service/payload.h"

namespace rpycbench::service {

// The service refuses an argument: ValueError in RPyC, 400 in HTTP.
class ValueError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// The value of the plain attribute `value`.
inline constexpr std::int64_t kValue = 42;

// What the objects of a list have as attributes. They depend on the place in the list alone.
struct Item {
  explicit Item(std::int64_t place)
      : number(place),
        name("item " + std::to_string(place)),
        weight(static_cast<double>(place) + 0.5) {}

  std::int64_t number;
  std::string name;
  double weight;  // never a whole number, so that every language writes it alike
};

// The same as it was received, whose name is somebody else's.
struct ItemView {
  std::int64_t number;
  std::string_view name;
  double weight;

  // Returns whether these are the attributes at that place, without an allocation.
  bool IsAt(std::uint64_t place) const;
};

struct Limits {
  std::int64_t max_items = 65'536;                 // of a list of objects; calls back
  std::int64_t max_bytes = std::int64_t{1} << 30;  // in one upload, download or file
  std::int64_t max_chunks = std::int64_t{1} << 20;
  double max_sleep_seconds = 3600;
};

// The largest chunk, in bytes.
inline constexpr std::int64_t kMaxChunkBytes = std::int64_t{64} << 20;

// A payload cut into chunks of equal size; the last one may be shorter.
struct Chunks {
  Payload whole;
  std::size_t chunk_bytes;

  std::size_t count() const { return (whole.size() + chunk_bytes - 1) / chunk_bytes; }
  Payload at(std::size_t index) const {
    const std::size_t offset = index * chunk_bytes;
    return whole.Sub(offset, std::min(chunk_bytes, whole.size() - offset));
  }
};

// The known extra costs of operations, against which measurements are checked.
struct KnownCosts {
  std::shared_ptr<const Delay> delay = nullptr;  // added to ping
  Injection injection = {};                      // added to every operation
};

class Service {
 public:
  // Makes the blocks of the payloads beforehand, unless `crash_allowed` is set. Without a kind,
  // `download` consists of the letter x and the file operations of zero bytes. The operation
  // `crash` exists only if `crash_allowed` is set.
  explicit Service(std::optional<PayloadKind> kind = std::nullopt, Limits limits = {},
                   bool crash_allowed = false, KnownCosts known = {});

  const Limits& limits() const { return limits_; }
  bool crash_allowed() const { return crash_allowed_; }

  // Returns the injected cost. The protocols apply it, since some operations have no function here.
  const Injection& injection() const { return known_.injection; }

  std::string_view Ping() const {
    if (known_.delay) [[unlikely]]
      known_.delay->Apply();
    return "pong";
  }
  // Return `size` bytes. Throw ValueError for a negative size or one above the limit.
  Payload Download(std::int64_t size) const;
  Payload DownloadFile(std::int64_t size) const;
  // Check the data that a peer sends: `size` bytes, and `chunks` of a file. Throw ValueError.
  void CheckUpload(std::int64_t size) const { CheckedSize(size); }
  void CheckChunks(std::int64_t chunks) const;
  // Returns `size` bytes in chunks. Throws ValueError as above, and for an empty or too large chunk
  // size or more chunks than the limit.
  Chunks DownloadFileChunked(std::int64_t size, std::int64_t chunk_bytes) const;
  // Returns the sum of i² for 0 ≤ i < n, added one by one, because the work is the point. Throws
  // ValueError for a negative n, and if the sum exceeds 64 bits (n above 3,024,617).
  std::int64_t Compute(std::int64_t n) const;
  // Returns `count` as the number of objects in a list, of numbers to iterate over, or of calls
  // back. Throws ValueError for a negative count or one above the limit.
  std::size_t CheckedCount(std::int64_t count) const;
  // Returns the item at that place of a list. Throws ValueError for a place that no list has.
  Item ItemAt(std::int64_t place) const;
  // Returns the attribute that can be set, for protocols whose connections have no state.
  std::int64_t setting() const { return setting_.load(std::memory_order_relaxed); }
  void Set(std::int64_t setting) const { setting_.store(setting, std::memory_order_relaxed); }
  // Raises the error that callers of `fail` ask for.
  [[noreturn]] void Fail() const;
  // Sleeps, then returns `seconds`. Throws ValueError for a negative, non-finite or too long time.
  double Sleep(double seconds) const;
  // Ends this process with SIGABRT, without an answer and without a core file. It shows what a
  // fault in one session does to the others. Throws ValueError where it is not allowed.
  [[noreturn]] void Crash() const;

 private:
  std::size_t CheckedSize(std::int64_t size) const;

  PayloadKind download_kind_;
  PayloadKind file_kind_;
  Limits limits_;
  bool crash_allowed_;
  KnownCosts known_;
  mutable std::atomic<std::int64_t> setting_ = 0;
};

}  // namespace rpycbench::service
