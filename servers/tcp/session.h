// The floor: the service's operations with a 16-byte header and no protocol. What a call costs
// here, every protocol pays as well.
#pragma once

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::tcp {

// Serves requests until the peer closes or breaks the format. What goes wrong is reported in one
// line on stderr; no exception leaves.
void ServeSession(net::Socket& socket, const service::Service& service);

// The bare loop that the floor itself is held against: answers every 16 bytes with 20.
void ServeBareLoop(net::Socket& socket);

}  // namespace rpycbench::tcp
