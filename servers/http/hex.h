// Converts bytes to hex digits and back, several bytes per nanosecond. The loops have no branches
// and no tables, so the compiler vectorises them on any machine.
#pragma once

#include <cstddef>

namespace rpycbench::http {

// Writes 2 * `size` lower-case digits to `digits`.
void HexEncode(const char* bytes, std::size_t size, char* digits);

// Reads 2 * `size` digits of either case and writes `size` bytes. Returns whether all were hex
// digits; otherwise the contents of `bytes` are meaningless.
bool HexDecode(const char* digits, std::size_t size, char* bytes);

bool IsHexDigit(char c);

}  // namespace rpycbench::http
