// Numbers that a peer passes, as Python takes them: whatever has __index__ is an integer, whatever
// has __float__ a real number. Numbers of other classes than int and float, as an IntEnum's or
// NumPy's, cross by reference, so their owner is asked.
#pragma once

#include <cstdint>

#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

class Scope;

// Throw PythonError: TypeError for what is no number, ValueError for an integer beyond 64 bits, and
// what the owner of a reference answers.
std::int64_t IntegerOf(Scope& scope, const Value& value);
double NumberOf(Scope& scope, const Value& value);

}  // namespace rpycbench::rpyc
