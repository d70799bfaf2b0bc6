// A command line that can't be followed, or names rows that don't exist: nothing was measured.
#pragma once

#include <stdexcept>

namespace rpycbench {

// Says in one line what was wrong and what would be valid.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rpycbench
