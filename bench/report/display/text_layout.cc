#include "bench/report/display/text_layout.h"

#include <algorithm>

namespace rpycbench {
namespace {

// Returns the length in bytes of the first character of `text`.
std::size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(bytes, text.size());
}

// Returns how many bytes of a word fit, up to its last slash if it has one, but at least one
// character.
std::size_t FittingBytes(std::string_view word, std::size_t width) {
  std::size_t bytes = 0;
  std::size_t behind_slash = 0;
  for (std::size_t taken = 0; bytes < word.size() && (taken < width || bytes == 0); ++taken) {
    const bool slash = word[bytes] == '/';
    bytes += CharacterBytes(word.substr(bytes));
    if (slash) behind_slash = bytes;
  }
  return bytes < word.size() && behind_slash > 0 ? behind_slash : bytes;
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (; !text.empty(); ++width) text.remove_prefix(CharacterBytes(text));
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
