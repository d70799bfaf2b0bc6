// Many connections on few threads. Each connection has a coroutine, which gives up its thread while
// it waits for its peer. A server that cannot continue reports the reason on stderr and exits with
// status 1.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// Serves everything, the listener included, on one thread until stdin ends or SIGTERM arrives. An
// operation that computes delays all others; one that sleeps does not. Every session is then ended
// within two seconds. Sessions that do not end by then end with the process.
void ServeAsync(net::Listener& listener, const Session& session, const Limits& limits);

// Serves all connections on `limits.pool_threads` threads. A free thread continues with the next
// connection that is ready. An operation occupies its thread until it is done, even while it
// sleeps. Ends as above.
void ServeThreadPool(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
