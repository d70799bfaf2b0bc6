// A histogram of times as HdrHistogram defines it, and the two texts in which that library passes
// one on: an entry of its log (format 1.3, encoding V2), and its table of percentiles. Times are in
// ns. Each is kept to three significant digits: up to 2,047 ns exactly, above that in buckets that
// are at most a thousandth of their value wide.
//
//   HdrHistogram, "HistogramLogWriter" and "AbstractHistogram":
//   https://hdrhistogram.github.io/HdrHistogram/
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace rpycbench {

class Histogram {
 public:
  // Adds a time in ns; what is below 0 counts as 0.
  void Add(std::int64_t ns);

  std::int64_t count() const { return total_; }
  // Returns the longest time in ns. It is exact, unlike the one that the table of percentiles has.
  std::int64_t longest_ns() const { return longest_ns_; }

  // Returns the V2 encoding: compressed by zlib, in base64. Throws std::runtime_error if zlib
  // fails.
  std::string Encoded() const;
  // Writes the table that outputPercentileDistribution writes, with values in µs.
  void WritePercentiles(std::ostream& out) const;

 private:
  std::string Counts() const;

  std::vector<std::int64_t> counts_;  // by bucket, up to the last one that has any
  std::int64_t total_ = 0;
  std::int64_t longest_ns_ = 0;
};

}  // namespace rpycbench
