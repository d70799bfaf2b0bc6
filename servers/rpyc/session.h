// One RPyC connection of the benchmark service, from accept to close.
#pragma once

#include <memory>

#include "servers/net/socket.h"
#include "servers/rpyc/object.h"
#include "servers/rpyc/wire/options.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

struct ServerOptions {
  Compression compression = Compression::kPython;
  Limits limits;
};

// Serves `root` to the peer, in the dialect of its first message, until the peer closes or breaks
// the protocol. Reports errors in one line on stderr and lets no exception out.
void ServeRoot(net::Socket& socket, std::shared_ptr<Object> root, const ServerOptions& options);

// Serves the benchmark service in the same way.
void ServeSession(net::Socket& socket, const service::Service& service,
                  const ServerOptions& options);

}  // namespace rpycbench::rpyc
