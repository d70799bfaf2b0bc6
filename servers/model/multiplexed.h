// Many connections on few threads: a fiber for each connection, which gives its thread to others
// while it waits for its peer. A server that cannot go on says why on stderr and exits with 1.
#pragma once

#include "servers/model/session.h"

namespace rpycbench::model {

// One thread for everything, the listener included. An operation at work keeps all others waiting;
// one that sleeps doesn't. Serves until stdin ends or SIGTERM arrives, then ends every session
// within two seconds; sessions that cannot be ended by then end with the process.
void ServeAsync(net::Listener& listener, const Session& session, const Limits& limits);

// `limits.pool_threads` of them share all connections: whichever is free goes on with the next one
// that is ready. An operation occupies its thread until it is done, a sleep as well. Ends as above.
void ServeThreadPool(net::Listener& listener, const Session& session, const Limits& limits);

}  // namespace rpycbench::model
