// For tests: what an exception says, so that a test can compare it as a value.
#pragma once

#include <string>

namespace rpycbench {

// Returns the message of the `Error` that `action` throws, or nothing if it returns. Other
// exceptions pass.
template <class Error, class Action>
std::string MessageOf(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace rpycbench
