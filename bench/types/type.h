// What a benchmark type is: its name, what its rows time, which figures matter, and how its rows
// are registered. Every type defines one of these in its own file, and types.cc lists them. The
// display, `--describe` and the tools that read results know types only through this struct.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "fixtures/meter/counters.h"

namespace rpycbench {

struct Suite;

// The figure that a table shows next to the time of a call.
struct PrimaryCounter {
  const char* heading;
  Counter counter;
  double unit = 1;  // the table divides the counter by this
};
inline constexpr PrimaryCounter kRoundTripsOfCall{"trips", counter::kRoundTrips};
inline constexpr PrimaryCounter kCallRate{"calls/s", counter::kItemsPerSecond};
inline constexpr PrimaryCounter kByteRate{"MB/s", counter::kBytesPerSecond, 1e6};

struct TypeDescription {
  std::string_view name;
  std::string_view timed;     // what a sample is, in a few words of Markdown
  std::string_view variants;  // what follows the mode in a row's name, also Markdown
  PrimaryCounter primary = kRoundTripsOfCall;
  // Whether rows compare by the answers per second of all clients, not by the median of a call.
  bool is_rate = false;
  // Whether rows are measured in pairs with a floor.
  bool has_floor = true;
  // Whether rows time calls that floor, protocol and interpreter share.
  bool has_calls = true;
  // The share of a ratio that is the half width of its interval when a row has enough pairs.
  double precision = 0.01;
  // Whether rows make enough calls for p99.9, and are read for it.
  bool has_tail = false;
  // Whether the processes whose CPU time is measured live as long as the row.
  bool has_cpu = true;
  // Counters beyond those that rows of most types have.
  std::vector<Counter> counters = {};
  // Flags of the suite that concern this type and few others.
  std::vector<std::string_view> flags = {};
};

struct BenchmarkType : TypeDescription {
  // Registers the rows that the preset and the flags ask for.
  void (*register_rows)(const Suite& suite);
};

// Finds types by name. The types must outlive the table.
class TypeTable {
 public:
  TypeTable() = default;
  explicit TypeTable(std::span<const BenchmarkType* const> types)
      : types_(types.begin(), types.end()) {}
  explicit TypeTable(std::vector<const TypeDescription*> types) : types_(std::move(types)) {}

  // Returns the type, or one without special properties if there is none of that name.
  const TypeDescription& Find(std::string_view name) const;
  const std::vector<const TypeDescription*>& all() const { return types_; }

 private:
  std::vector<const TypeDescription*> types_;
};

}  // namespace rpycbench
