// The errors between two peers, beyond the socket's own errors and the exceptions of Python.
#pragma once

#include <stdexcept>

namespace rpycbench::rpyc {

// The peer sent bytes that violate the protocol or exceed the limits, so the connection cannot
// continue.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace rpycbench::rpyc
