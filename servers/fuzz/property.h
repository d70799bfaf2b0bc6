// The parts that all fuzz targets share: reporting a broken property, and cutting input into
// pieces. A target is one function, Run, in its own program. It catches only the exceptions that
// its layer documents, so any other exception is a finding. libFuzzer drives it in builds with
// Clang and RPYCBENCH_FUZZ (libfuzzer_entry.cc); corpus_main.cc drives it everywhere else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rpycbench::fuzz {

// Checks the target's properties for one input. Each target defines it.
void Run(std::string_view input);

// A property does not hold. Only the driver catches this exception.
class BrokenProperty : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Throws BrokenProperty if `holds` is false. `property` says what should hold.
inline void Check(bool holds, const std::string& property) {
  if (!holds) throw BrokenProperty("broken property: " + property);
}

// Returns a number that depends on the bytes alone (FNV-1a). Targets derive all their choices from
// it.
inline std::uint64_t Hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

// The sizes of the pieces in which a stream arrives.
class Cuts {
 public:
  static Cuts Whole() { return {SIZE_MAX, 0}; }
  static Cuts SingleBytes() { return {1, 0}; }
  // Returns mostly small pieces, the same ones for the same seed.
  static Cuts Random(std::uint64_t seed) { return {0, seed | 1}; }

  // Returns the size of the next piece, at least 1.
  std::size_t Next() {
    if (size_ != 0) return size_;
    // A xorshift step, then a size below a power of two, so that all magnitudes are equally likely.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return 1 + (state_ >> 16) % (std::size_t{1} << (state_ >> 40) % 12);
  }

  // Calls feed(piece) until all of `bytes` is fed.
  template <class Feed>
  void Split(std::string_view bytes, Feed feed) {
    while (!bytes.empty()) {
      const std::size_t size = std::min(Next(), bytes.size());
      feed(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
  }

 private:
  Cuts(std::size_t size, std::uint64_t state) : size_(size), state_(state) {}

  std::size_t size_;  // 0: state_ decides
  std::uint64_t state_;
};

}  // namespace rpycbench::fuzz
