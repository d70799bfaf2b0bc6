#include "servers/rpyc/session.h"

#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "servers/net/log.h"
#include "servers/rpyc/benchmark_root.h"
#include "servers/rpyc/connection.h"

namespace rpycbench::rpyc {

void ServeRoot(net::Socket& socket, std::shared_ptr<Object> root, const ServerOptions& options) {
  try {
    Connection connection(socket, {.compression = options.compression, .limits = options.limits},
                          std::move(root));
    connection.Serve();
  } catch (const net::Error& error) {
    // A peer may reset instead of closing. Python does so when an answer arrives after its close.
    if (error.code() == std::errc::connection_reset || error.code() == std::errc::broken_pipe) {
      return;
    }
    net::LogLine(std::string("rpyc session: ") + error.what());
  } catch (const std::exception& error) {
    net::LogLine("rpyc session with " + socket.peer().ToString() + ": " + error.what());
  }
}

void ServeSession(net::Socket& socket, const service::Service& service,
                  const ServerOptions& options) {
  ServeRoot(socket, std::make_shared<BenchmarkRoot>(service), options);
}

}  // namespace rpycbench::rpyc
