// What is known of the terminal that the program writes to: how wide it is, and whether it is to
// have colours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rpycbench {

bool IsTerminal(int descriptor);

// The width of the terminal behind `descriptor`; where that is none or does not know, what COLUMNS
// says, or else `otherwise`.
std::size_t TerminalColumns(int descriptor, std::size_t otherwise);

// Whether colours suit: on a terminal, unless it is a dumb one or NO_COLOR (no-color.org) is set.
bool SuitsColors(int descriptor);

enum class Style { kPlain, kBold, kDim, kRed, kYellow };

// The text with the escape sequences of its style around it.
std::string Painted(std::string_view text, Style style);

}  // namespace rpycbench
