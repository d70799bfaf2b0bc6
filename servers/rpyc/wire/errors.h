// What can go wrong between two peers, beyond the socket's own errors.
#pragma once

#include <stdexcept>

namespace rpycbench::rpyc {

// The peer sent bytes that are not the protocol, or more than the limits allow. The connection
// cannot go on.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rpycbench::rpyc
