// A Python value as it crosses the wire: immutable values by copy, everything else by reference. A
// Value is a small view, and copying it never allocates. Bytes, texts and tuples belong to the
// message they were decoded from, to its arena, or to the caller that built them. Objects belong to
// whoever exports them.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <forward_list>
#include <span>
#include <string_view>
#include <vector>

namespace rpycbench::rpyc {

class Object;

// Lists for several values of Value::Pieces. They do not move when more are added.
using PieceLists = std::forward_list<std::vector<iovec>>;

// Identifies one object of one peer by all three elements together. The instance id 0 means that
// the object is a class.
struct IdPack {
  std::string_view name;  // "module.Class"
  std::int64_t class_id = 0;
  std::int64_t instance_id = 0;

  friend bool operator==(const IdPack&, const IdPack&) = default;
};

// A reference to an object of the peer, as a message brought it.
struct Reference {
  IdPack id;
  mutable bool taken = false;  // a Netref releases it later; otherwise its message does
};

enum class Kind : std::uint8_t {
  kNone,
  kNotImplemented,
  kEllipsis,
  kBool,
  kInt,     // fits 64 bits
  kBigInt,  // canonical decimal text
  kFloat,
  kComplex,
  kBytes,
  kPieces,  // bytes in several pieces; only sent, never received
  kText,    // UTF-8
  kTuple,
  kSlice,  // three items: start, stop, step
  kFrozenSet,
  kObject,  // an object of this end
  kNetref,  // an object of the peer
};

class Value {
 public:
  Value() = default;  // None

  static Value None() { return {}; }
  static Value NotImplemented() { return Value(Kind::kNotImplemented); }
  static Value Ellipsis() { return Value(Kind::kEllipsis); }
  static Value Bool(bool value) {
    Value v(Kind::kBool);
    v.bool_ = value;
    return v;
  }
  static Value Int(std::int64_t value) {
    Value v(Kind::kInt);
    v.int_ = value;
    return v;
  }
  static Value BigInt(std::string_view decimal) { return Value(Kind::kBigInt, decimal); }
  static Value Float(double value) {
    Value v(Kind::kFloat);
    v.complex_ = {value, 0};
    return v;
  }
  static Value Complex(double real, double imaginary) {
    Value v(Kind::kComplex);
    v.complex_ = {real, imaginary};
    return v;
  }
  static Value Bytes(std::string_view bytes) { return Value(Kind::kBytes, bytes); }
  static Value Pieces(std::span<const iovec> pieces) {
    Value v(Kind::kPieces);
    v.pieces_ = {pieces.data(), pieces.size()};
    return v;
  }
  static Value Text(std::string_view utf8) { return Value(Kind::kText, utf8); }
  static Value Tuple(std::span<const Value> items) { return Value(Kind::kTuple, items); }
  // Returns the same tuple, slice or frozenset, which remembers from now on whether it is plain.
  // plain() thus need not examine all items again on each level of a received value.
  Value Examined() const {
    Value v = *this;
    v.plainness_ = plain() ? Plainness::kPlain : Plainness::kMixed;
    return v;
  }
  // Makes a tuple whose items are all plain.
  static Value PlainTuple(std::span<const Value> items) {
    Value v(Kind::kTuple, items);
    v.plainness_ = Plainness::kPlain;
    return v;
  }
  static Value Slice(std::span<const Value, 3> items) { return Value(Kind::kSlice, items); }
  static Value FrozenSet(std::span<const Value> items) { return Value(Kind::kFrozenSet, items); }
  static Value Local(Object& object) {
    Value v(Kind::kObject);
    v.object_ = &object;
    return v;
  }
  static Value Remote(const Reference& reference) {
    Value v(Kind::kNetref);
    v.reference_ = &reference;
    return v;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  // Returns whether the value crosses by copy.
  bool plain() const;

  // Each of these is valid for its kind only.
  bool boolean() const { return bool_; }
  std::int64_t integer() const { return int_; }
  double real() const { return complex_.real; }
  double imaginary() const { return complex_.imaginary; }
  std::string_view bytes() const { return {string_.data, string_.size}; }  // also for text, big int
  std::span<const iovec> pieces() const { return {pieces_.data, pieces_.count}; }
  std::span<const Value> items() const { return {items_.data, items_.count}; }
  Object& object() const { return *object_; }
  const Reference& reference() const { return *reference_; }

 private:
  enum class Plainness : std::uint8_t { kUnknown, kPlain, kMixed };

  explicit Value(Kind kind) : kind_(kind) {}
  Value(Kind kind, std::string_view bytes) : kind_(kind), string_{bytes.data(), bytes.size()} {}
  Value(Kind kind, std::span<const Value> items)
      : kind_(kind), items_{items.data(), items.size()} {}

  Kind kind_ = Kind::kNone;
  Plainness plainness_ = Plainness::kUnknown;  // for kinds with items
  union {
    bool bool_;
    std::int64_t int_ = 0;
    struct {
      double real, imaginary;
    } complex_;
    struct {
      const char* data;
      std::size_t size;
    } string_;
    struct {
      const iovec* data;
      std::size_t count;
    } pieces_;
    struct {
      const Value* data;
      std::size_t count;
    } items_;
    Object* object_;
    const Reference* reference_;
  };
};

inline bool Value::plain() const {
  if (kind_ < Kind::kTuple) return true;
  if (kind_ >= Kind::kObject) return false;
  if (plainness_ != Plainness::kUnknown) return plainness_ == Plainness::kPlain;
  for (const Value& item : items()) {
    if (!item.plain()) return false;
  }
  return true;
}

}  // namespace rpycbench::rpyc
