// Small helpers for text that every layer needs: numbers, names and lists on command lines, and
// bytes from other processes in messages, which can neither forge a line nor a terminal sequence.
//
//   ParseWhole<int>("80x");                  // std::nullopt
//   OneLine("lost\n\x1b[31mat sea\n");       // "lost ?[31mat sea"
//   Join({"quick", "", "default"}, ", ");    // "quick, default"
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace rpycbench {

// Returns the number that all of `text` is in std::from_chars's format; empty for anything else,
// and for a number that is too large.
template <class Number>
std::optional<Number> ParseWhole(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The names of an enumeration whose values count from 0, in their order.
//
//   constexpr EnumNames<Placement, 3> kNames{{"shared", "split", "free"}};
//   kNames[Placement::kFree]    // "free"
//   kNames.Find("split")        // Placement::kSplit
template <class Enum, std::size_t kCount>
struct EnumNames {
  std::array<std::string_view, kCount> names;

  constexpr std::string_view operator[](Enum value) const {
    return names[static_cast<std::size_t>(value)];
  }
  // Returns the value of that name; empty if none has it.
  constexpr std::optional<Enum> Find(std::string_view name) const {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
  }
};

// Returns `text` with a question mark for each byte that is part of no UTF-8 character, and for
// each byte of a control character other than a line feed or a tab.
std::string PrintableText(std::string_view text);

// Returns `text` as one printable line: as PrintableText does, but with a space for each line break
// and tab, and without those at the end.
std::string OneLine(std::string_view text);

// Returns the words that aren't empty, with `separator` between them.
std::string Join(const std::vector<std::string>& words, std::string_view separator);

}  // namespace rpycbench
