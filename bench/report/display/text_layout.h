// Text in columns: how wide it is on a terminal, how it is padded, and how it is wrapped. All text
// is UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

// Returns the columns that UTF-8 text takes, one for each character. Wide characters, which only a
// foreign error message can have, put their own line out of alignment and no other.
std::size_t DisplayWidth(std::string_view text);

// Returns the text padded with spaces, before or after it, up to `width`; unchanged if it is wider.
std::string AlignedRight(std::string_view text, std::size_t width);
std::string AlignedLeft(std::string_view text, std::size_t width);

// Returns the text as lines no wider than `width`, broken at spaces. A word wider than a line is
// broken after a slash, or wherever it must be. There is at least one line.
std::vector<std::string> Wrapped(std::string_view text, std::size_t width);

}  // namespace rpycbench
