// Tests hex digits: known values, every byte, every length around the width of a vector, and a bad
// digit in every position.
#include "servers/http/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace rpycbench::http {
namespace {

std::string Encode(const std::string& bytes) {
  std::string digits(2 * bytes.size(), '?');
  HexEncode(bytes.data(), bytes.size(), digits.data());
  return digits;
}

TEST(Hex, EncodesInLowerCase) { EXPECT_EQ(Encode(std::string("\x00\x9a\xff\x7f", 4)), "009aff7f"); }

TEST(Hex, DecodesBothCases) {
  std::string bytes(4, '?');
  ASSERT_TRUE(HexDecode("00aAFf7e", 4, bytes.data()));
  EXPECT_EQ(bytes, std::string("\x00\xaa\xff\x7e", 4));
}

TEST(Hex, EveryLengthComesBack) {
  for (const std::size_t size : {0, 1, 7, 15, 16, 17, 31, 33, 256, 4095, 4096, 4097, 9000}) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 131 + (i >> 8));
    std::string decoded(size, '?');
    ASSERT_TRUE(HexDecode(Encode(bytes).data(), size, decoded.data())) << size;
    EXPECT_EQ(decoded, bytes) << size;
  }
}

TEST(Hex, ABadDigitAnywhereIsSeen) {
  constexpr std::size_t kSize = 70;
  std::string decoded(kSize, '?');
  for (std::size_t at = 0; at < 2 * kSize; ++at) {
    std::string digits(2 * kSize, '5');
    digits[at] = 'g';
    EXPECT_FALSE(HexDecode(digits.data(), kSize, decoded.data())) << at;
  }
}

TEST(Hex, KnowsItsDigits) {
  const std::string digits = "0123456789abcdefABCDEF";
  for (int c = 0; c < 256; ++c) {
    const bool expected = c != 0 && digits.find(static_cast<char>(c)) != std::string::npos;
    EXPECT_EQ(IsHexDigit(static_cast<char>(c)), expected) << c;
  }
}

}  // namespace
}  // namespace rpycbench::http
