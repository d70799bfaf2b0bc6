// The io_context of one thread: it waits for sockets, timers and signals, and takes no locks.
#pragma once

#include <boost/asio/io_context.hpp>

namespace rpycbench::net {

namespace asio = boost::asio;

class OneThreadContext : public asio::io_context {
 public:
  OneThreadContext() : io_context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE) {}
};

}  // namespace rpycbench::net
