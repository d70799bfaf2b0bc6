// One HTTP/1.1 connection of the benchmark service, from accept to close. Paths, arguments and
// answers are those of the table in routes.cc; answers are JSON, or application/octet-stream for
// payload. What the service refuses is answered with a status and {"error":"<text>"}.
#pragma once

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

// Serves requests with keep-alive until the peer closes, asks to close, or breaks the protocol.
// The socket's time limit applies in the middle of a request; between two of them a peer may take
// as long as it likes. What goes wrong is reported in one line on stderr; no exception leaves.
//
// Limits: heads of 8 KiB (431; 414 if the request line alone is longer), which arrive within twice
// the socket's time limit; bodies of service.limits().max_bytes, chunk documents as long as that
// many bytes in max_chunks chunks can make them (413). An error that leaves a request half read, or
// its end uncertain, is answered, then the connection is closed. What RFC 9110 and RFC 9112 ask of
// a server is the table of requirements_test.cc.
void ServeSession(net::Socket& socket, const service::Service& service);

}  // namespace rpycbench::http
