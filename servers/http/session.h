// One HTTP/1.1 connection of the benchmark service, from accept to close. The table in routes.cc
// lists paths and arguments. Answers are JSON, or application/octet-stream for payload. A refused
// request gets a status and {"error":"<text>"}.
#pragma once

#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

// Serves requests with keep-alive until the peer closes, asks to close, or breaks the protocol. The
// socket's time limit applies in the middle of a request; between requests a peer may stay idle.
// Reports errors in one line on stderr and lets no exception out.
//
// Limits, with the status for exceeding them:
// - A head has at most 8 KiB (431; 414 if the request line alone is longer). It must arrive within
//   twice the socket's time limit.
// - A body has at most service.limits().max_bytes (413).
// - A chunk document is at most as long as that many bytes in max_chunks chunks can make it (413).
//
// If an error leaves a request half read or its end uncertain, the session answers and closes the
// connection. The table in requirements_test.cc lists what RFC 9110 and RFC 9112 require.
void ServeSession(net::Socket& socket, const service::Service& service);

}  // namespace rpycbench::http
