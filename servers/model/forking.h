// One process for each connection. The server itself stays single-threaded, so a fork copies no
// lock that another thread holds.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// Serves until stdin ends or SIGTERM arrives. Reaps children as they exit. A child that crashes is
// reported in one line and affects no other. All children end with the server. Throws
// std::system_error if the server cannot begin or poll fails.
void ServeForking(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
