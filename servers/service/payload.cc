#include "servers/service/payload.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "servers/net/text.h"

namespace rpycbench::service {
namespace {

constexpr std::size_t kPeriod = 1'048'583;
static_assert(kPeriod >= Payload::kContiguousBytes);
constexpr EnumNames<PayloadKind, 4> kKindNames{{"zeros", "text", "random", "x"}};

struct Free {
  void operator()(char* block) const { std::free(block); }
};
using Block = std::unique_ptr<char, Free>;

// Allocates huge pages where the kernel has them. With small pages, the page faults would take
// several times as long as the rest of a server's start.
Block Allocate(std::size_t size) {
  constexpr std::size_t kHugePage = 2 << 20;
  void* block = nullptr;
  if (::posix_memalign(&block, kHugePage, size) != 0) throw std::bad_alloc();
  ::madvise(block, size / kHugePage * kHugePage, MADV_HUGEPAGE);  // small pages will do as well
  return Block(static_cast<char*>(block));
}

// SplitMix64: small, well distributed, the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

void FillRandom(char* out) {
  Random random(20240229);
  for (std::size_t at = 0; at < kPeriod; at += sizeof(std::uint64_t)) {
    const std::uint64_t bits = random();
    std::memcpy(out + at, &bits, std::min(sizeof bits, kPeriod - at));
  }
}

// Writes words of an invented language in sentences and lines. Frequent words are short and follow
// Zipf's law, so deflate finds about as much redundancy as in prose.
void FillText(char* out) {
  static constexpr std::array<std::string_view, 24> kSyllables = {
      "an", "ba", "ce", "di", "el", "fo", "ga", "hi", "in", "jo", "ka", "li",
      "me", "no", "or", "pe", "qu", "ra", "st", "th", "un", "ve", "wi", "yo"};
  constexpr std::size_t kWords = 4096;
  Random random(19170227);
  std::vector<std::string> words(kWords);
  for (std::size_t rank = 0; rank < kWords; ++rank) {
    const std::size_t syllables = 1 + random() % (rank < 64 ? 2 : 4);
    for (std::size_t i = 0; i < syllables; ++i) words[rank] += kSyllables[random() % 24];
  }
  std::size_t at = 0;
  std::size_t column = 0;
  while (at < kPeriod) {
    // 2^(12·u·(0.4 + 0.6·u)) over a uniform u favours low ranks, much as a natural vocabulary does.
    const double uniform = static_cast<double>(random() >> 11) * 0x1.0p-53;
    const auto power = static_cast<unsigned>(12 * uniform * (0.4 + 0.6 * uniform));
    std::size_t rank = (std::size_t{1} << power) - 1;
    rank = std::min(rank + random() % (rank + 1), kWords - 1);
    std::string token = words[rank];
    if (random() % 12 == 0) token += random() % 4 == 0 ? '.' : ',';
    column += token.size() + 1;
    token += column > 72 ? '\n' : ' ';
    if (column > 72) column = 0;
    const std::size_t size = std::min(token.size(), kPeriod - at);
    std::memcpy(out + at, token.data(), size);
    at += size;
  }
}

Block MakeBlock(PayloadKind kind) {
  Block block = Allocate(2 * kPeriod);
  switch (kind) {
    case PayloadKind::kZeros:
      std::memset(block.get(), 0, kPeriod);
      break;
    case PayloadKind::kLetterX:
      std::memset(block.get(), 'x', kPeriod);
      break;
    case PayloadKind::kText:
      FillText(block.get());
      break;
    case PayloadKind::kRandom:
      FillRandom(block.get());
      break;
  }
  std::memcpy(block.get() + kPeriod, block.get(), kPeriod);
  return block;
}

template <PayloadKind kKind>
const char* BlockOf() {
  static const Block block = MakeBlock(kKind);
  return block.get();
}

const char* BlockOf(PayloadKind kind) {
  switch (kind) {
    case PayloadKind::kZeros:
      return BlockOf<PayloadKind::kZeros>();
    case PayloadKind::kText:
      return BlockOf<PayloadKind::kText>();
    case PayloadKind::kRandom:
      return BlockOf<PayloadKind::kRandom>();
    case PayloadKind::kLetterX:
      break;
  }
  return BlockOf<PayloadKind::kLetterX>();
}

}  // namespace

std::optional<PayloadKind> ParsePayloadKind(std::string_view name) {
  const auto kind = kKindNames.Find(name);
  return kind == PayloadKind::kLetterX ? std::nullopt : kind;
}

std::string_view ToString(PayloadKind kind) { return kKindNames[kind]; }

Payload Payload::Of(PayloadKind kind, std::size_t size) { return {BlockOf(kind), 0, size}; }

void Payload::Prepare(PayloadKind kind) { BlockOf(kind); }

std::string_view Payload::contiguous() const { return {block_ + offset_ % kPeriod, size_}; }

template <class Visit>
bool Payload::ForEachPiece(Visit visit) const {
  std::size_t start = offset_ % kPeriod;
  for (std::size_t left = size_; left > 0;) {
    const std::size_t piece = std::min(left, 2 * kPeriod - start);
    if (!visit(block_ + start, piece)) return false;
    left -= piece;
    start = (start + piece) % kPeriod;
  }
  return true;
}

void Payload::AppendPieces(std::vector<iovec>& blocks) const {
  ForEachPiece([&](const char* piece, std::size_t size) {
    blocks.push_back({const_cast<char*>(piece), size});  // iovec has no const form
    return true;
  });
}

bool Payload::Matches(std::string_view bytes) const {
  if (bytes.size() != size_) return false;
  const char* position = bytes.data();
  return ForEachPiece([&](const char* piece, std::size_t size) {
    if (std::memcmp(position, piece, size) != 0) return false;
    position += size;
    return true;
  });
}

std::string Payload::ToString() const {
  std::string text;
  text.reserve(size_);
  ForEachPiece([&](const char* piece, std::size_t size) {
    text.append(piece, size);
    return true;
  });
  return text;
}

}  // namespace rpycbench::service
