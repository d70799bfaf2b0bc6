#include "bench/report/display/text_layout.h"

#include <algorithm>
#include <cstdint>

namespace rpycbench {
namespace {

// Returns the length in bytes of the first character of `text`.
std::size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(bytes, text.size());
}

std::size_t CharacterWidth(std::string_view character) {
  constexpr std::uint32_t first_byte[] = {0x7f, 0x1f, 0x0f, 0x07};
  std::uint32_t code =
      static_cast<unsigned char>(character.front()) & first_byte[character.size() - 1];
  for (const char c : character.substr(1))
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3f);
  constexpr struct {
    std::uint32_t first, last;
    std::size_t width;
  } kOdd[] = {{0x300, 0x36f, 0},   {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},
              {0x1100, 0x115f, 2}, {0x2e80, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
              {0xf900, 0xfaff, 2}, {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
              {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2}};
  for (const auto& odd : kOdd) {
    if (odd.first <= code && code <= odd.last) return odd.width;
  }
  return 1;
}

// Returns how many bytes of a word fit, up to its last slash if it has one, but at least one
// character.
std::size_t FittingBytes(std::string_view word, std::size_t width) {
  std::size_t bytes = 0;
  std::size_t behind_slash = 0;
  for (std::size_t taken = 0; bytes < word.size();) {
    const std::string_view character = word.substr(bytes, CharacterBytes(word.substr(bytes)));
    taken += CharacterWidth(character);
    if (taken > width && bytes > 0) break;
    bytes += character.size();
    if (character == "/") behind_slash = bytes;
  }
  return bytes < word.size() && behind_slash > 0 ? behind_slash : bytes;
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t bytes = CharacterBytes(text);
    width += CharacterWidth(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return width;
}

std::string AlignedRight(std::string_view text, std::size_t width) {
  const std::size_t taken = DisplayWidth(text);
  return std::string(width - std::min(width, taken), ' ').append(text);
}

std::string AlignedLeft(std::string_view text, std::size_t width) {
  const std::size_t taken = DisplayWidth(text);
  return std::string(text).append(width - std::min(width, taken), ' ');
}

std::vector<std::string> Wrapped(std::string_view text, std::size_t width) {
  constexpr std::string_view kBlanks = " \t\n";
  std::vector<std::string> lines{""};
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return lines;
    std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    const std::size_t before = lines.back().empty() ? 0 : DisplayWidth(lines.back()) + 1;
    if (before + DisplayWidth(word) > width && before > 0) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    while (DisplayWidth(word) > width) {
      const std::size_t bytes = FittingBytes(word, width);
      if (bytes == word.size()) break;
      lines.back() += word.substr(0, bytes);
      lines.emplace_back();
      word.remove_prefix(bytes);
    }
    lines.back() += word;
  }
}

}  // namespace rpycbench
