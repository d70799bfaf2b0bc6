// For tests: a service that does with the peer whatever the protocol allows both ends: raises and
// catches any exception, calls what it is passed, sends any request back, hangs up.
// conformance_service.py is the same service on the real library; operations that both have are
// described there.
#pragma once

#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

class ConformanceRoot : public Object {
 public:
  // Of one connection, whose socket must outlive it.
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
