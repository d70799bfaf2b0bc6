// What the fuzz targets of the RPyC layers share: values compared part by part, and small limits,
// so that input that asks for much is refused instead of being slow.
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

// Whether two plain values are the same; floats by their bits, for a NaN is not equal to itself.
bool SameValue(const Value& a, const Value& b);

// The bytes of a message that was begun without headroom.
std::string Flat(const MessageWriter& message);

}  // namespace rpycbench::rpyc
