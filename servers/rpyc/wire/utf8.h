// Strict UTF-8, as Python requires it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace rpycbench::rpyc {

// Returns whether all of `text` is UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace rpycbench::rpyc
