// Strict UTF-8, as Python insists on: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace rpycbench::rpyc {

bool IsUtf8(std::string_view text);

}  // namespace rpycbench::rpyc
