// Which failures of a call are what an overloaded server does to its clients, and therefore results
// of an open loop. All others, such as a wrong reply, are errors.
#pragma once

#include <exception>

namespace rpycbench {

enum class CallEnd {
  kAnswered,
  kRefused,   // the server closed the connection or refused it, or said that it is overloaded
  kTimedOut,  // no answer, or no connection, within the client's time limit
  kFailed,    // an error
};

// Returns how a call ended that threw `error`.
CallEnd EndOf(const std::exception& error);

}  // namespace rpycbench
