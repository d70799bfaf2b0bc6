#include "servers/rpyc/testing/fuzz_values.h"

#include <bit>
#include <vector>

namespace rpycbench::rpyc {
namespace {

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

bool SameValue(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNone:
    case Kind::kNotImplemented:
    case Kind::kEllipsis:
      return true;
    case Kind::kBool:
      return a.boolean() == b.boolean();
    case Kind::kInt:
      return a.integer() == b.integer();
    case Kind::kFloat:
      return SameBits(a.real(), b.real());
    case Kind::kComplex:
      return SameBits(a.real(), b.real()) && SameBits(a.imaginary(), b.imaginary());
    case Kind::kBigInt:
    case Kind::kBytes:
    case Kind::kText:
      return a.bytes() == b.bytes();
    case Kind::kTuple:
    case Kind::kSlice:
    case Kind::kFrozenSet:
      return std::ranges::equal(a.items(), b.items(), SameValue);
    case Kind::kPieces:
    case Kind::kObject:
    case Kind::kNetref:
      break;
  }
  return false;  // a reader makes no such value
}

std::string Flat(const MessageWriter& message) {
  std::vector<iovec> pieces;
  message.AppendPieces(pieces);
  std::string bytes;
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

}  // namespace rpycbench::rpyc
