// For tests: a service that uses everything that the protocol allows both ends. It raises and
// catches any exception, calls functions it is passed, sends any request back, and hangs up.
// conformance_service.py is the same service on the real library, and describes the operations that
// both have.
#pragma once

#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

class ConformanceRoot : public Object {
 public:
  // Serves one connection, whose socket must outlive it.
  explicit ConformanceRoot(net::Socket& socket) : socket_(socket) {}

  net::Socket& socket() { return socket_; }

  std::string_view class_name() const override { return "conformance.ConformanceService"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  std::vector<std::string_view> Members() const override;

 private:
  net::Socket& socket_;
};

}  // namespace rpycbench::rpyc
