// A process for each connection. The server itself stays single-threaded, so that a fork copies
// nothing that another thread holds.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// Serves until stdin ends or SIGTERM arrives. Children are reaped as they end, one that crashes is
// reported in one line and hurts no other; all end with the server.
void ServeForking(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
