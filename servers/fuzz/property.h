// What the fuzz targets share: how a broken property is reported, and how input that is cut into
// pieces is cut. A target is one function, LLVMFuzzerTestOneInput, in a program of its own; it
// catches the exceptions its layer documents and nothing else, so that any other one is a finding.
// libFuzzer drives it where Clang built it, corpus_main.cc everywhere else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace rpycbench::fuzz {

// Caught by nobody below the driver.
class BrokenProperty : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// `property` says what should hold. Throws BrokenProperty if it does not.
inline void Check(bool holds, const std::string& property) {
  if (!holds) throw BrokenProperty("broken property: " + property);
}

// The same number for the same bytes (FNV-1a): choices that a target makes depend on nothing else.
inline std::uint64_t Hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

// The sizes of the pieces that a stream arrives in.
class Cuts {
 public:
  static Cuts Whole() { return {SIZE_MAX, 0}; }
  static Cuts SingleBytes() { return {1, 0}; }
  // Mostly small pieces, the same ones for the same seed.
  static Cuts Random(std::uint64_t seed) { return {0, seed | 1}; }

  // At least 1.
  std::size_t Next() {
    if (size_ != 0) return size_;
    // A xorshift step; then a size below a power of two, so that all magnitudes are as likely.
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

  std::size_t size_;  // 0: by state_
  std::uint64_t state_;
};

}  // namespace rpycbench::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
