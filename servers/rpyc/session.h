// One RPyC connection of the benchmark service, from accept to close.
#pragma once

#include "servers/net/socket.h"
#include "servers/rpyc/options.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

struct ServerOptions {
  Compression compression = Compression::kPython;
  Limits limits;
};

// Serves the peer, in the dialect of its first message, until it closes or breaks the protocol.
// What goes wrong is reported in one line on stderr; no exception leaves.
void ServeSession(net::Socket& socket, const service::Service& service,
                  const ServerOptions& options);

}  // namespace rpycbench::rpyc
