// The floor: the service's operations with a 16-byte header and no protocol. Every other protocol
// pays at least what a call costs here.
#pragma once

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::tcp {

// Serves requests until the peer closes or breaks the format. Reports errors in one line on stderr
// and lets no exception out.
void ServeSession(net::Socket& socket, const service::Service& service);

// Answers every 16 bytes with 20 bytes. This bare loop is the reference for the floor itself.
// Reports errors in one line on stderr and lets no exception out.
void ServeBareLoop(net::Socket& socket);

}  // namespace rpycbench::tcp
