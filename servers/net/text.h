// Small text helpers for every layer: numbers, names and lists on command lines, and bytes from
// other processes in messages. Those bytes can forge neither a line nor a terminal sequence.
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

// Returns the number that all of `text` represents in the format of std::from_chars. Returns
// nothing for any other text and for a number that is too large.
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
  // Returns the value with that name, or nothing if no value has it.
  constexpr std::optional<Enum> Find(std::string_view name) const {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
  }
};

// Returns `text` with a question mark in place of each byte that is not part of a UTF-8 character.
// Bytes of control characters are replaced as well, except line feeds and tabs.
std::string PrintableText(std::string_view text);

// Returns `text` as one printable line. Line breaks and tabs become spaces, trailing spaces go, and
// PrintableText replaces the rest.
std::string OneLine(std::string_view text);

// Returns the non-empty words with `separator` between them.
std::string Join(const std::vector<std::string>& words, std::string_view separator);

}  // namespace rpycbench
