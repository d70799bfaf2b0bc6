// Brine: RPyC's encoding of immutable Python values, one tag byte and then the value. The writer
// chooses the shortest tag, as the Python library does, so equal values have equal bytes; the
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
  // Values cost 24 times the byte that announces them, so their number is bounded by itself.
  std::size_t max_items = std::size_t{1} << 22;
};

// Appends a plain value. Throws std::logic_error for objects and netrefs, and std::length_error
// for bytes, texts and tuples of 2³² or more.
void Write(const Value& value, MessageWriter& out);
// The same as a string of its own.
std::string Dump(const Value& value);

// The pieces larger structures are made of.
void WriteInt(std::int64_t value, MessageWriter& out);
void WriteText(std::string_view utf8, MessageWriter& out);
void WriteTupleHead(std::size_t count, MessageWriter& out);
// Of up to four items, a byte longer than need be; readers take either form.
void WriteLongTupleHead(std::uint8_t count, MessageWriter& out);
// An integer from -48 to 159, which takes one byte.
constexpr char SmallInt(int value) { return static_cast<char>(value + 0x50); }

// Reads one value that takes up all of `bytes`; the value points into `bytes` and `arena`.
// Throws ProtocolError.
Value Read(std::string_view bytes, Arena& arena, const ReadLimits& limits = {});

}  // namespace rpycbench::rpyc::brine
