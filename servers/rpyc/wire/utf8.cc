#include "servers/rpyc/wire/utf8.h"

#include <cstddef>
#include <cstdint>

namespace rpycbench::rpyc {
namespace {

// The length of a sequence, and the bounds of its second byte. That byte reveals overlong forms,
// surrogates and code points that are too large.
struct Sequence {
  std::size_t length;
  std::uint8_t second_min, second_max;
};

constexpr Sequence SequenceOf(std::uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2) return {0, 0, 0};
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead < 0xf4) return {4, 0x80, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const Sequence sequence = SequenceOf(byte(0));
    if (sequence.length == 0 || sequence.length > text.size() - at) return false;
    if (sequence.length > 1 && (byte(1) < sequence.second_min || byte(1) > sequence.second_max)) {
      return false;
    }
    for (std::size_t i = 2; i < sequence.length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    at += sequence.length;
  }
  return true;
}

}  // namespace rpycbench::rpyc
