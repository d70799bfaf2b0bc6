// For fuzz targets of the RPyC layers: a comparison of values part by part, and small limits. With
// these, input that asks for much is refused instead of being slow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/options.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

inline constexpr brine::ReadLimits kFuzzReadLimits{.max_depth = 32, .max_items = 100};

inline Limits FuzzLimits() {
  return {.max_message_bytes = 4096,
          .max_items = kFuzzReadLimits.max_items,
          .max_depth = kFuzzReadLimits.max_depth,
          .max_nested_requests = 8,
          .max_exported_objects = 8};
}

// Returns whether two plain values are the same. Floats are compared by their bits, because a NaN
// does not equal itself.
bool SameValue(const Value& a, const Value& b);

// Returns the bytes of a message that was begun without headroom.
std::string Flat(const MessageWriter& message);

}  // namespace rpycbench::rpyc
