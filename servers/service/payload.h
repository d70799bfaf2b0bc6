// The bytes that transfers carry: zeros, text, random bytes, or the letter x. A payload of any size
// is a view of one immutable block that repeats. Producing the data thus never counts as the cost
// of a call, and both ends can check every byte. The length of the block is prime (1,048,583),
// larger than the window of deflate, and coprime to every chunk size. A repetition therefore
// neither compresses nor hides a misplaced chunk.
//
//   Payload data = Payload::Of(PayloadKind::kRandom, 1 << 20);
//   data.AppendPieces(blocks);        // for a gathering send
//   data.Matches(received);           // size and content
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench::service {

enum class PayloadKind { kZeros, kText, kRandom, kLetterX };

// Returns the kind named "zeros", "text" or "random", or nothing for any other name. The letter x
// cannot be chosen by name.
std::optional<PayloadKind> ParsePayloadKind(std::string_view name);
std::string_view ToString(PayloadKind kind);

class Payload {
 public:
  // Returns the first `size` bytes of `kind`. The first use of a kind makes its block, which takes
  // up to 10 ms; servers and fixtures call Prepare beforehand.
  static Payload Of(PayloadKind kind, std::size_t size);
  static void Prepare(PayloadKind kind);

  std::size_t size() const { return size_; }
  // Returns `size` bytes from `offset` on; both must lie inside the payload.
  Payload Sub(std::size_t offset, std::size_t size) const {
    return Payload(block_, offset_ + offset, size);
  }
  // Returns the bytes in one piece. The size must not exceed kContiguousBytes.
  std::string_view contiguous() const;
  static constexpr std::size_t kContiguousBytes = 1 << 20;
  bool is_contiguous() const { return size_ <= kContiguousBytes; }

  // Appends the pieces of the payload, in order, to a list for a gathering send. An empty payload
  // appends none.
  void AppendPieces(std::vector<iovec>& blocks) const;
  // Returns whether `bytes` has the payload's size and content.
  bool Matches(std::string_view bytes) const;
  std::string ToString() const;

 private:
  Payload(const char* block, std::size_t offset, std::size_t size)
      : block_(block), offset_(offset), size_(size) {}
  // Calls visit(const char*, std::size_t) for each piece until it returns false.
  template <class Visit>
  bool ForEachPiece(Visit visit) const;

  const char* block_;  // the period, stored twice in a row
  std::size_t offset_;
  std::size_t size_;
};

}  // namespace rpycbench::service
