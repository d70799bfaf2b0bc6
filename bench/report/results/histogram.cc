#include "bench/report/results/histogram.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <stdexcept>

namespace rpycbench {
namespace {

// HdrHistogram's terms. Values up to 2,047 have a bucket each. From there on, each power of two has
// 1,024 buckets of equal width, the upper half of as many as fit below its end.
constexpr std::int64_t kSignificantDigits = 3;
constexpr int kSubBucketBits = 11;
constexpr std::int64_t kSubBuckets = std::int64_t{1} << kSubBucketBits;
constexpr std::int64_t kHalf = kSubBuckets / 2;
constexpr int kTicksPerHalfDistance = 5;  // rows of the table until the distance to 100 % halves

// The cookies say which version encodes the counts, in words of variable size (0x10).
constexpr std::int64_t kCookie = 0x1c849303 | 0x10;
constexpr std::int64_t kCompressedCookie = 0x1c849304 | 0x10;

// Returns how often the width of the value's bucket has doubled.
int DoublingsOf(std::int64_t value) {
  return std::bit_width(static_cast<std::uint64_t>(value | (kSubBuckets - 1))) - kSubBucketBits;
}

std::size_t IndexOf(std::int64_t value) {
  const int doublings = DoublingsOf(value);
  return static_cast<std::size_t>(doublings * kHalf + (value >> doublings));
}

// The values that share a bucket.
struct Bucket {
  std::int64_t lowest;
  std::int64_t width;

  std::int64_t highest() const { return lowest + width - 1; }
  std::int64_t middle() const { return lowest + width / 2; }
};

Bucket BucketAt(std::size_t index) {
  const auto signed_index = static_cast<std::int64_t>(index);
  const std::int64_t doublings = std::max<std::int64_t>(0, signed_index / kHalf - 1);
  return {(signed_index - doublings * kHalf) << doublings, std::int64_t{1} << doublings};
}

void AppendBigEndian(std::string& to, std::int64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) to += static_cast<char>(value >> (8 * i));
}

// Appends a number in as few bytes as it needs: seven bits in each, the lowest first, with the sign
// in the lowest bit (ZigZag LEB128). A ninth byte has eight bits.
void AppendVariable(std::string& to, std::int64_t value) {
  auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  for (int i = 0; i < 8 && rest > 0x7f; ++i) {
    to += static_cast<char>(rest | 0x80);
    rest >>= 7;
  }
  to += static_cast<char>(rest);
}

std::string Compressed(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string packed(size, '\0');
  const int result = compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                              reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (result != Z_OK) throw std::runtime_error("zlib: error " + std::to_string(result));
  packed.resize(size);
  return packed;
}

std::string Base64(const std::string& bytes) {
  constexpr char kDigitsOf64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      three = three << 8 | (j < bytes.size() ? static_cast<unsigned char>(bytes[j]) : 0u);
    }
    const std::size_t digits = std::min<std::size_t>(3, bytes.size() - i) + 1;
    for (std::size_t j = 0; j < 4; ++j) {
      text += j < digits ? kDigitsOf64[three >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

template <class... Values>
void Print(std::ostream& out, const char* format, Values... values) {
  char line[200];
  std::snprintf(line, sizeof line, format, values...);
  out << line;
}

}  // namespace

void Histogram::Add(std::int64_t ns) {
  const std::int64_t value = std::max<std::int64_t>(0, ns);
  const std::size_t index = IndexOf(value);
  if (index >= counts_.size()) counts_.resize(index + 1);
  ++counts_[index];
  ++total_;
  longest_ns_ = std::max(longest_ns_, value);
}

// Returns the counts in order; a negative number stands for so many that are 0.
std::string Histogram::Counts() const {
  std::string text;
  std::int64_t zeros = 0;
  for (const std::int64_t count : counts_) {
    if (count == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) AppendVariable(text, zeros == 1 ? 0 : -zeros);
    zeros = 0;
    AppendVariable(text, count);
  }
  return text;
}

std::string Histogram::Encoded() const {
  const std::string counts = Counts();
  std::string bytes;
  AppendBigEndian(bytes, kCookie, 4);
  AppendBigEndian(bytes, static_cast<std::int64_t>(counts.size()), 4);
  AppendBigEndian(bytes, 0, 4);  // the offset of the first count
  AppendBigEndian(bytes, kSignificantDigits, 4);
  AppendBigEndian(bytes, 1, 8);                                       // the unit, in ns
  AppendBigEndian(bytes, std::max<std::int64_t>(2, longest_ns_), 8);  // the highest value
  AppendBigEndian(bytes, std::bit_cast<std::int64_t>(1.0), 8);        // a ratio of doubles
  bytes += counts;
  const std::string packed = Compressed(bytes);
  std::string whole;
  AppendBigEndian(whole, kCompressedCookie, 4);
  AppendBigEndian(whole, static_cast<std::int64_t>(packed.size()), 4);
  return Base64(whole + packed);
}

void Histogram::WritePercentiles(std::ostream& out) const {
  const auto us = [](double ns) { return ns / 1e3; };
  const auto total = static_cast<double>(total_);
  Print(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  // A row for each level that the counts reach; the levels lie ever closer to 100 %.
  double level = 0;
  std::int64_t below = 0;
  double sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    below += counts_[i];
    sum += static_cast<double>(BucketAt(i).middle()) * static_cast<double>(counts_[i]);
    while (100 * static_cast<double>(below) / total >= level) {
      Print(out, "%12.3f %2.12f %10lld %14.2f\n", us(static_cast<double>(BucketAt(i).highest())),
            level / 100, static_cast<long long>(below), 1 / (1 - level / 100));
      // Not log2, so that levels are rounded as the library rounds them.
      const double halvings = std::floor(std::log(100 / (100 - level)) / std::log(2)) + 1;
      level += 100 / (kTicksPerHalfDistance * std::exp2(halvings));
      if (below == total_) break;
    }
  }
  const double highest = static_cast<double>(BucketAt(counts_.size() - 1).highest());
  Print(out, "%12.3f %2.12f %10lld\n", us(highest), 1.0, static_cast<long long>(total_));
  const double mean = sum / total;
  double squares = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    const double distance = static_cast<double>(BucketAt(i).middle()) - mean;
    squares += distance * distance * static_cast<double>(counts_[i]);
  }
  Print(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", us(mean),
        us(std::sqrt(squares / total)));
  Print(out, "#[Max     = %12.3f, Total count    = %12lld]\n", us(highest),
        static_cast<long long>(total_));
  Print(out, "#[Buckets = %12d, SubBuckets     = %12lld]\n",
        DoublingsOf(std::max<std::int64_t>(2, longest_ns_)) + 1,
        static_cast<long long>(kSubBuckets));
}

}  // namespace rpycbench
