// What the program knows about the terminal that it writes to: its width, and whether it should get
// colours. Escape sequences for the suite's few styles are here, too.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rpycbench {

bool IsTerminal(int descriptor);

// Returns the width in columns of the terminal at `descriptor`. If that is no terminal or has no
// known width, COLUMNS decides, and after that `otherwise`.
std::size_t TerminalColumns(int descriptor, std::size_t otherwise);

// Returns whether to use colours: on a terminal, unless it is a dumb one or NO_COLOR (no-color.org)
// is set.
bool SuitsColors(int descriptor);

enum class Style { kPlain, kBold, kDim, kRed, kYellow };

// Returns the text between the escape sequences of its style.
std::string Painted(std::string_view text, Style style);

}  // namespace rpycbench
