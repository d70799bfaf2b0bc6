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

// Serves `root` to the peer, in the dialect of its first message, until it closes or breaks the
// protocol. What goes wrong is reported in one line on stderr; no exception leaves.
void ServeRoot(net::Socket& socket, std::shared_ptr<Object> root, const ServerOptions& options);

// The same with the benchmark service.
void ServeSession(net::Socket& socket, const service::Service& service,
                  const ServerOptions& options);

}  // namespace rpycbench::rpyc
