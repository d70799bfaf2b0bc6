// One thread for each connection. Finished threads are joined by other sessions' threads, so that
// the accepting thread has no such work.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// Serves until stdin ends or SIGTERM arrives, then ends every session within two seconds. Sessions
// that do not end by then, because an operation is still at work, end with the process. Throws
// std::system_error if it cannot begin.
void ServeThreaded(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
