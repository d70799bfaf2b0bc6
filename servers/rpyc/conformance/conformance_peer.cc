// For tests: serves ConformanceRoot, with a thread for each connection. Like bench_server it prints
// one line of JSON with its port and serves until its stdin ends.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "servers/model/threaded.h"
#include "servers/rpyc/conformance/conformance_root.h"
#include "servers/rpyc/session.h"

namespace rpycbench::rpyc {
namespace {

void ServeSession(net::Socket& socket) {
  ServeRoot(socket, std::make_shared<ConformanceRoot>(socket), {});
}

void Serve(std::string_view nonce) {
  net::Listener listener(net::Endpoint::Resolve("127.0.0.1", 0));
  std::printf("{\"port\":%u,\"pid\":%d,\"nonce\":\"%.*s\"}\n", listener.port(), getpid(),
              static_cast<int>(nonce.size()), nonce.data());
  std::fflush(stdout);
  model::ServeThreaded(listener, ServeSession, {});
}

}  // namespace
}  // namespace rpycbench::rpyc

int main(int argc, char** argv) {
  constexpr std::string_view kNonce = "--nonce=";
  if (argc != 2 || !std::string_view(argv[1]).starts_with(kNonce)) {
    std::fputs("usage: conformance_peer --nonce=NONCE\n", stderr);
    return 2;
  }
  rpycbench::rpyc::Serve(std::string_view(argv[1]).substr(kNonce.size()));
  return 0;
}
