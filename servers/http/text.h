// Appends numbers to a buffer of text, without streams or temporary strings.
#pragma once

#include <charconv>
#include <string_view>

#include "servers/net/buffer.h"

namespace rpycbench::http {

// Appends the shortest text that reads back as the same number.
template <class Number>
void AppendNumber(net::Buffer& out, Number number) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append({digits, static_cast<std::size_t>(end - digits)});
}

}  // namespace rpycbench::http
