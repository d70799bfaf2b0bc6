// A thread for each connection.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// Serves until stdin ends or SIGTERM arrives, then ends every session within two seconds; sessions
// that cannot be ended by then (an operation still at work) end with the process.
void ServeThreaded(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
