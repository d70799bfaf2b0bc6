// What each request of the peer does to the objects of this end.
#pragma once

#include <memory>
#include <span>

#include "servers/rpyc/connection.h"

namespace rpycbench::rpyc {

// Performs a request and returns its result. CLOSE is not among them: it has no answer.
// Throws PythonError for what is refused: KeyError for an unknown reference, TypeError for wrong
// arguments, and what the object itself raises.
Value Dispatch(Scope& scope, ObjectTable& objects, const std::shared_ptr<Object>& root,
               Handler handler, std::span<const Value> arguments);

}  // namespace rpycbench::rpyc
