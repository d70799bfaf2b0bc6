// Reads numbers that a peer passes, as Python does: an object with __index__ is an integer, one
// with __float__ a real number. Numbers of other classes than int and float, such as an IntEnum or
// NumPy's, cross by reference. Their owner is then asked.
#pragma once

#include <cstdint>

#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

class Scope;

// Return the number that `value` represents. Throw PythonError: TypeError for other values,
// ValueError for an integer beyond 64 bits, and what the owner of a reference raises.
std::int64_t IntegerOf(Scope& scope, const Value& value);
double NumberOf(Scope& scope, const Value& value);

}  // namespace rpycbench::rpyc
