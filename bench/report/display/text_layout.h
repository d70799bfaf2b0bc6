// Text in columns: how wide it is on a terminal, and how it is filled up and wrapped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

// The columns that UTF-8 text takes: none for combining marks, two for East Asian characters.
std::size_t DisplayWidth(std::string_view text);

// With blanks before, or behind it, up to `width`; unchanged if it is wider.
std::string AlignedRight(std::string_view text, std::size_t width);
std::string AlignedLeft(std::string_view text, std::size_t width);

// Lines no wider than `width`, broken where blanks are; a word that is wider than a line behind a
// slash, or where it must be. At least one line.
std::vector<std::string> Wrapped(std::string_view text, std::size_t width);

}  // namespace rpycbench
