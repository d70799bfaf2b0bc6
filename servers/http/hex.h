// Bytes to hex digits and back, at a few bytes per nanosecond. The loops are free of branches and
// tables so that the compiler turns them into vector code on any machine.
#pragma once

#include <cstddef>

namespace rpycbench::http {

// Writes 2 * `size` lower-case digits.
void HexEncode(const char* bytes, std::size_t size, char* digits);

// Reads 2 * `size` digits of either case. Returns whether all were hex digits; what stands in
// `bytes` is meaningless otherwise.
bool HexDecode(const char* digits, std::size_t size, char* bytes);

bool IsHexDigit(char c);

}  // namespace rpycbench::http
