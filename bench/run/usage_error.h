// The error for a command line that can't be followed, or that names rows that don't exist. Nothing
// has been measured when it is thrown.
#pragma once

#include <stdexcept>

namespace rpycbench {

// Its message says in one line what was wrong and what would be valid.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rpycbench
