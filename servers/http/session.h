// One HTTP/1.1 connection of the benchmark service, from accept to close.
#pragma once

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

// Serves requests with keep-alive until the peer closes, asks to close, or breaks the protocol.
// What goes wrong is reported in one line on stderr; no exception leaves.
void ServeSession(net::Socket& socket, const service::Service& service);

}  // namespace rpycbench::http
