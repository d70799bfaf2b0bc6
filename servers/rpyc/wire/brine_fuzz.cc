// Fuzzes brine. A value that can be read can be written, and reads back as the same value. An input
// as short as the written form is that form. No value is the beginning of another.
#include <optional>

#include "servers/fuzz/property.h"
#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;

std::optional<Value> TryRead(std::string_view bytes, Arena& arena) {
  try {
    return brine::Read(bytes, arena, kFuzzReadLimits);
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

// The number of values inside a value, and their greatest depth.
struct Extent {
  std::size_t items = 0;
  int depth = 0;
};

void Measure(const Value& value, int depth, Extent& extent) {
  extent.depth = std::max(extent.depth, depth);
  if (value.kind() < Kind::kTuple) return;
  extent.items += value.items().size();
  for (const Value& item : value.items()) Measure(item, depth + 1, extent);
}

void Fuzz(std::string_view input) {
  Arena arena;
  const std::optional<Value> value = TryRead(input, arena);
  if (!value) return;
  Check(value->plain(), "brine carries plain values only");
  Extent extent;
  Measure(*value, 0, extent);
  Check(extent.items <= kFuzzReadLimits.max_items, "the number of values is bounded");
  Check(extent.depth <= kFuzzReadLimits.max_depth, "the depth of values is bounded");

  const std::string written = brine::Dump(*value);
  Check(written.size() < input.size() || written == input, "the writer takes the shortest form");
  Arena again;
  const std::optional<Value> read_back = TryRead(written, again);
  Check(read_back && SameValue(*value, *read_back), "what is written reads back as the same value");

  Arena unused;
  const std::size_t cut = fuzz::Hash(input) % input.size();
  Check(!TryRead(input.substr(0, cut), unused), "a value cut short is refused");
  Check(!TryRead(std::string(input) + '\0', unused), "bytes after a value are refused");
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }
