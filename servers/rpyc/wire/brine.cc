#include "servers/rpyc/wire/brine.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/utf8.h"

namespace rpycbench::rpyc::brine {
namespace {

enum Tag : std::uint8_t {
  kNone = 0x00,
  kEmptyBytes = 0x01,
  kEmptyTuple = 0x02,
  kTrue = 0x03,
  kFalse = 0x04,
  kNotImplemented = 0x05,
  kEllipsis = 0x06,
  kText = 0x08,
  kBytes1 = 0x0a,  // to 0x0d: bytes of length 1 to 4
  kBytes4 = 0x0d,
  kBytesL1 = 0x0e,
  kBytesL4 = 0x0f,
  kTuple1 = 0x10,  // to 0x13: tuples of 1 to 4 items
  kTuple4 = 0x13,
  kTupleL1 = 0x14,
  kTupleL4 = 0x15,
  kIntL1 = 0x16,
  kIntL4 = 0x17,
  kFloat = 0x18,
  kSlice = 0x19,
  kFrozenSet = 0x1a,
  kComplex = 0x1b,
  kSmallIntFirst = 0x20,
  kSmallIntLast = 0xef,
};

constexpr int kSmallIntMin = -48;
constexpr int kSmallIntMax = 159;
constexpr int kSmallIntZero = 0x50;
// CPython converts no more digits than these, in either direction.
constexpr std::size_t kMaxDigits = 4300;

void WriteU32(std::size_t value, MessageWriter& out) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("brine: a length of " + std::to_string(value) +
                            " does not fit 32 bits");
  }
  char* to = out.Extend(4);
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (24 - 8 * i));
}

// The tags of a kind of value that has a length: none, 1 to 4, in a byte, in four bytes.
struct LengthTags {
  char empty;
  char one;
  char byte;
  char four_bytes;
};
constexpr LengthTags kBytesTags{kEmptyBytes, kBytes1, kBytesL1, kBytesL4};
constexpr LengthTags kTupleTags{kEmptyTuple, kTuple1, kTupleL1, kTupleL4};

template <LengthTags tags>
void WriteHead(std::size_t size, MessageWriter& out) {
  if (size == 0) {
    out.Byte(tags.empty);
  } else if (size <= 4) {
    out.Byte(static_cast<char>(tags.one + size - 1));
  } else if (size <= 255) {
    out.Byte(tags.byte);
    out.Byte(static_cast<char>(size));
  } else {
    out.Byte(tags.four_bytes);
    WriteU32(size, out);
  }
}

void WriteBytes(std::string_view bytes, MessageWriter& out) {
  WriteHead<kBytesTags>(bytes.size(), out);
  out.Refer(bytes);
}

void WritePieces(std::span<const iovec> pieces, MessageWriter& out) {
  std::size_t size = 0;
  for (const iovec& piece : pieces) size += piece.iov_len;
  WriteHead<kBytesTags>(size, out);
  for (const iovec& piece : pieces) {
    out.Refer({static_cast<const char*>(piece.iov_base), piece.iov_len});
  }
}

void WriteDigits(std::string_view digits, MessageWriter& out) {
  if (digits.size() <= 255) {
    out.Byte(kIntL1);
    out.Byte(static_cast<char>(digits.size()));
  } else {
    out.Byte(kIntL4);
    WriteU32(digits.size(), out);
  }
  out.Copy(digits);
}

void WriteDouble(double value, MessageWriter& out) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  char* to = out.Extend(8);
  for (int i = 0; i < 8; ++i) to[i] = static_cast<char>(bits >> (56 - 8 * i));
}

void WriteTuple(std::span<const Value> items, MessageWriter& out) {
  WriteTupleHead(items.size(), out);
  for (const Value& item : items) Write(item, out);
}

class Reader {
 public:
  Reader(std::string_view bytes, Arena& arena, const ReadLimits& limits)
      : position_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        arena_(arena),
        items_left_(limits.max_items),
        max_depth_(limits.max_depth) {}

  Value ReadAll() {
    const Value value = ReadValue(0);
    if (position_ != end_) throw ProtocolError("brine: bytes after the value");
    return value;
  }

 private:
  Value ReadValue(int depth) {
    const std::uint8_t tag = U8();
    if (tag >= kSmallIntFirst && tag <= kSmallIntLast) return Value::Int(tag - kSmallIntZero);
    if (tag >= kBytes1 && tag <= kBytes4) return Value::Bytes(Take(tag - kBytes1 + 1U));
    if (tag >= kTuple1 && tag <= kTuple4) return ReadTuple(tag - kTuple1 + 1U, depth);
    switch (tag) {
      case kNone:
        return Value::None();
      case kEmptyBytes:
        return Value::Bytes({});
      case kEmptyTuple:
        return Value::Tuple({});
      case kTrue:
        return Value::Bool(true);
      case kFalse:
        return Value::Bool(false);
      case kNotImplemented:
        return Value::NotImplemented();
      case kEllipsis:
        return Value::Ellipsis();
      case kText:
        return ReadText();
      case kBytesL1:
        return Value::Bytes(Take(U8()));
      case kBytesL4:
        return Value::Bytes(Take(U32()));
      case kTupleL1:
        return ReadTuple(U8(), depth);
      case kTupleL4:
        return ReadTuple(U32(), depth);
      case kIntL1:
        return ReadInteger(Take(U8()));
      case kIntL4:
        return ReadInteger(Take(U32()));
      default:
        return ReadRareValue(tag, depth);
    }
  }

  // Kept apart, so that reading nested tuples takes less stack.
  [[gnu::noinline]] Value ReadRareValue(std::uint8_t tag, int depth) {
    switch (tag) {
      case kFloat:
        return Value::Float(ReadDouble());
      case kComplex:
        return ReadComplex();
      case kSlice:
        return ReadSlice(depth);
      case kFrozenSet:
        return Value::FrozenSet(ReadItems("frozenset", depth));
      default:
        throw ProtocolError("brine: unknown tag " + std::to_string(tag));
    }
  }

  std::string_view Take(std::size_t count) {
    if (count > static_cast<std::size_t>(end_ - position_)) {
      throw ProtocolError("brine: the value ends in the middle");
    }
    const std::string_view bytes(position_, count);
    position_ += count;
    return bytes;
  }

  std::uint8_t U8() { return static_cast<std::uint8_t>(Take(1)[0]); }

  std::uint32_t U32() {
    std::uint32_t value = 0;
    for (const char byte : Take(4)) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }

  double ReadDouble() {
    std::uint64_t bits = 0;
    for (const char byte : Take(8)) bits = bits << 8 | static_cast<std::uint8_t>(byte);
    return std::bit_cast<double>(bits);
  }

  Value ReadComplex() {
    const double real = ReadDouble();
    return Value::Complex(real, ReadDouble());
  }

  Value ReadText() {
    // One value follows the tag and must be bytes.
    const std::uint8_t tag = U8();
    std::string_view text;
    if (tag >= kBytes1 && tag <= kBytes4) {
      text = Take(tag - kBytes1 + 1U);
    } else if (tag == kBytesL1) {
      text = Take(U8());
    } else if (tag == kBytesL4) {
      text = Take(U32());
    } else if (tag != kEmptyBytes) {
      throw ProtocolError("brine: a text whose body is not bytes");
    }
    if (!IsUtf8(text)) throw ProtocolError("brine: a text that is not UTF-8");
    return Value::Text(text);
  }

  static Value ReadInteger(std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    const bool canonical = !digits.empty() && digits.size() <= kMaxDigits &&
                           digits.find_first_not_of("0123456789") == std::string_view::npos &&
                           (digits[0] != '0' || text == "0");
    if (!canonical) throw ProtocolError("brine: not an integer");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() ? Value::Int(value) : Value::BigInt(text);
  }

  Value ReadTuple(std::size_t count, int depth) {
    if (depth >= max_depth_) throw ProtocolError("brine: values are nested too deeply");
    // Each item takes at least one byte, so the count is checked before memory is reserved for it.
    if (count > static_cast<std::size_t>(end_ - position_)) {
      throw ProtocolError("brine: more items announced than bytes are left");
    }
    if (count > items_left_) throw ProtocolError("brine: too many items");
    items_left_ -= count;
    const std::span<Value> items = arena_.Allocate(count);
    for (Value& item : items) item = ReadValue(depth + 1);
    return Value::PlainTuple(items);
  }

  std::span<const Value> ReadItems(const char* what, int depth) {
    if (depth >= max_depth_) throw ProtocolError("brine: values are nested too deeply");
    const Value body = ReadValue(depth + 1);
    if (!body.is(Kind::kTuple)) {
      throw ProtocolError(std::string("brine: a ") + what + " whose body is not a tuple");
    }
    return body.items();
  }

  Value ReadSlice(int depth) {
    const std::span<const Value> items = ReadItems("slice", depth);
    if (items.size() != 3) throw ProtocolError("brine: a slice without three parts");
    return Value::Slice(items.first<3>());
  }

  const char* position_;
  const char* end_;
  Arena& arena_;
  std::size_t items_left_;
  int max_depth_;
};

}  // namespace

void WriteInt(std::int64_t value, MessageWriter& out) {
  if (value >= kSmallIntMin && value <= kSmallIntMax) {
    out.Byte(SmallInt(static_cast<int>(value)));
    return;
  }
  char text[24];
  const char* end = std::to_chars(text, text + sizeof text, value).ptr;
  WriteDigits({text, static_cast<std::size_t>(end - text)}, out);
}

void WriteText(std::string_view utf8, MessageWriter& out) {
  out.Byte(kText);
  WriteBytes(utf8, out);
}

void WriteTupleHead(std::size_t count, MessageWriter& out) { WriteHead<kTupleTags>(count, out); }

void WriteLongTupleHead(std::uint8_t count, MessageWriter& out) {
  out.Byte(kTupleL1);
  out.Byte(static_cast<char>(count));
}

void Write(const Value& value, MessageWriter& out) {
  switch (value.kind()) {
    case Kind::kNone:
      return out.Byte(kNone);
    case Kind::kNotImplemented:
      return out.Byte(kNotImplemented);
    case Kind::kEllipsis:
      return out.Byte(kEllipsis);
    case Kind::kBool:
      return out.Byte(value.boolean() ? kTrue : kFalse);
    case Kind::kInt:
      return WriteInt(value.integer(), out);
    case Kind::kBigInt:
      return WriteDigits(value.bytes(), out);
    case Kind::kFloat:
      out.Byte(kFloat);
      return WriteDouble(value.real(), out);
    case Kind::kComplex:
      out.Byte(kComplex);
      WriteDouble(value.real(), out);
      return WriteDouble(value.imaginary(), out);
    case Kind::kBytes:
      return WriteBytes(value.bytes(), out);
    case Kind::kPieces:
      return WritePieces(value.pieces(), out);
    case Kind::kText:
      return WriteText(value.bytes(), out);
    case Kind::kTuple:
      return WriteTuple(value.items(), out);
    case Kind::kSlice:
      out.Byte(kSlice);
      return WriteTuple(value.items(), out);
    case Kind::kFrozenSet:
      out.Byte(kFrozenSet);
      return WriteTuple(value.items(), out);
    case Kind::kObject:
    case Kind::kNetref:
      break;
  }
  throw std::logic_error("brine: objects cross by reference only");
}

std::string Dump(const Value& value) {
  MessageWriter out;
  out.Clear(0);
  Write(value, out);
  std::string bytes;
  std::vector<iovec> pieces;
  out.AppendPieces(pieces);
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

Value Read(std::string_view bytes, Arena& arena, const ReadLimits& limits) {
  return Reader(bytes, arena, limits).ReadAll();
}

}  // namespace rpycbench::rpyc::brine
