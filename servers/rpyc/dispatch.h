// Performs the requests of the peer on the objects of this end. The peer can delete no
// attribute.
#pragma once

#include <memory>
#include <span>

#include "servers/rpyc/connection.h"

namespace rpycbench::rpyc {

// Performs a request and returns its result. CLOSE is not among them, because it has no answer.
// Throws PythonError for a refused request: KeyError for an unknown reference, TypeError for wrong
// arguments, and whatever the object raises.
Value Dispatch(Scope& scope, ObjectTable& objects, const std::shared_ptr<Object>& root,
               Handler handler, std::span<const Value> arguments);

}  // namespace rpycbench::rpyc
