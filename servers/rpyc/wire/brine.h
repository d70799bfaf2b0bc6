// Brine: RPyC's encoding of immutable Python values, one tag byte and then the value. The writer
// chooses the shortest tag, as the Python library does, so equal values have equal bytes. The
// reader accepts longer forms and refuses everything that is not well-formed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "servers/rpyc/wire/arena.h"
#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc::brine {

struct ReadLimits {
  int max_depth = 128;
  // The number of values. A value takes 24 times the byte that announces it, so it has its own
  // limit.
  std::size_t max_items = std::size_t{1} << 22;
};

// Appends a plain value to `out`. Throws std::logic_error for objects and netrefs, and
// std::length_error for bytes, texts and tuples of 2³² bytes or items or more.
void Write(const Value& value, MessageWriter& out);
// Returns the encoding of a plain value. Throws like Write.
std::string Dump(const Value& value);

// Append the parts of larger structures to `out`.
void WriteInt(std::int64_t value, MessageWriter& out);
void WriteText(std::string_view utf8, MessageWriter& out);
void WriteTupleHead(std::size_t count, MessageWriter& out);
// Appends the head of a tuple with up to four items in one byte more than necessary. Readers accept
// either form.
void WriteLongTupleHead(std::uint8_t count, MessageWriter& out);
// Returns the one byte that encodes an integer from -48 to 159.
constexpr char SmallInt(int value) { return static_cast<char>(value + 0x50); }

// Reads one value that fills all of `bytes`. The value points into `bytes` and `arena`. Throws
// ProtocolError.
Value Read(std::string_view bytes, Arena& arena, const ReadLimits& limits = {});

}  // namespace rpycbench::rpyc::brine
