#include "servers/http/hex.h"

#include <algorithm>
#include <cstdint>

namespace rpycbench::http {
namespace {

// Errors are checked once a block, which keeps branches out of the inner loop.
constexpr std::size_t kBlock = 4096;

// Both functions use 8-bit values only, because narrow values fit more lanes into a vector.
std::uint8_t ToDigit(std::uint8_t nibble) {
  const std::uint8_t letter = nibble > 9 ? 'a' - '0' - 10 : 0;
  return static_cast<std::uint8_t>(nibble + '0' + letter);
}

std::uint8_t FromDigit(std::uint8_t c, std::uint8_t& bad) {
  const std::uint8_t number = c - '0';
  const std::uint8_t letter = static_cast<std::uint8_t>((c | 0x20) - 'a');
  const std::uint8_t is_number = number < 10 ? 0xff : 0;
  const std::uint8_t is_letter = letter < 6 ? 0xff : 0;
  bad |= static_cast<std::uint8_t>(~(is_number | is_letter));
  return static_cast<std::uint8_t>((number & is_number) | ((letter + 10) & is_letter));
}

}  // namespace

void HexEncode(const char* bytes, std::size_t size, char* digits) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint8_t byte = static_cast<std::uint8_t>(bytes[i]);
    digits[2 * i] = static_cast<char>(ToDigit(byte >> 4));
    digits[2 * i + 1] = static_cast<char>(ToDigit(byte & 15));
  }
}

bool HexDecode(const char* digits, std::size_t size, char* bytes) {
  for (std::size_t start = 0; start < size; start += kBlock) {
    const std::size_t end = std::min(size, start + kBlock);
    std::uint8_t bad = 0;
    for (std::size_t i = start; i < end; ++i) {
      const std::uint8_t high = FromDigit(static_cast<std::uint8_t>(digits[2 * i]), bad);
      const std::uint8_t low = FromDigit(static_cast<std::uint8_t>(digits[2 * i + 1]), bad);
      bytes[i] = static_cast<char>(high << 4 | low);
    }
    if (bad != 0) return false;
  }
  return true;
}

bool IsHexDigit(char c) {
  std::uint8_t bad = 0;
  FromDigit(static_cast<std::uint8_t>(c), bad);
  return bad == 0;
}

}  // namespace rpycbench::http
