#include "servers/model/multiplexed.h"

#include <cstdlib>
#include <exception>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "servers/model/accept_loop.h"
#include "servers/net/fiber_loop.h"
#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

// The live sessions of a loop and their sockets.
class SessionFibers {
 public:
  SessionFibers(net::FiberLoop& fibers, const Session& session, const Limits& limits)
      : fibers_(fibers), session_(session), limits_(limits) {}

  // Serves connections until the server is to end, then wakes all sessions for their end. Returns
  // false after a failure, which has been reported.
  bool AcceptUntilTheEnd(AcceptLoop& loop, net::Listener& listener) {
    bool failed = false;
    listener.AcceptForFibers();
    try {
      loop.Run(listener, limits_.io_timeout,
               {.on_connection = [this](net::Socket socket) { Start(std::move(socket)); }});
    } catch (const std::exception& error) {
      net::LogLine(error.what());
      failed = true;
    }
    listener.Close();
    const std::scoped_lock lock(mutex_);
    for (net::Socket& socket : live_) socket.ShutdownBoth();
    return !failed;
  }

 private:
  void Start(net::Socket socket) {
    const std::scoped_lock lock(mutex_);
    if (live_.size() >= limits_.max_connections) {
      net::LogLine("refused " + socket.peer().ToString() + ": " +
                   std::to_string(limits_.max_connections) + " connections are open");
      return;
    }
    const auto entry = live_.insert(live_.end(), std::move(socket));
    try {
      fibers_.Start([this, entry] { Run(entry); });
    } catch (const std::bad_alloc&) {
      net::LogLine("start a fiber for " + entry->peer().ToString() + ": no memory for its stack");
      live_.erase(entry);
    }
  }

  void Run(std::list<net::Socket>::iterator entry) {
    session_(*entry);
    const std::scoped_lock lock(mutex_);
    live_.erase(entry);  // closes it, not while it is shut down for the end
  }

  net::FiberLoop& fibers_;
  const Session& session_;
  const Limits& limits_;
  std::mutex mutex_;  // never held while a fiber suspends
  std::list<net::Socket> live_;
};

// Threads that run a loop until it is stopped.
class Pool {
 public:
  Pool(net::FiberLoop& fibers, std::size_t threads) : fibers_(fibers) {
    try {
      while (threads_.size() < threads) threads_.emplace_back([this] { fibers_.Run(); });
    } catch (const std::system_error&) {
      Join();
      throw;
    }
  }
  ~Pool() { Join(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

 private:
  void Join() {
    fibers_.Stop(std::chrono::milliseconds(0));
    for (std::thread& thread : threads_) thread.join();
  }

  net::FiberLoop& fibers_;
  std::vector<std::thread> threads_;
};

// Sessions that have not ended can only end with the process.
void EndProcessUnless(bool succeeded, bool all_ended) {
  if (!succeeded || !all_ended) std::_Exit(succeeded ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace

void ServeAsync(net::Listener& listener, const Session& session, const Limits& limits) {
  AcceptLoop loop;
  net::FiberLoop fibers({});
  SessionFibers sessions(fibers, session, limits);
  bool succeeded = false;
  fibers.Start([&] {
    succeeded = sessions.AcceptUntilTheEnd(loop, listener);
    fibers.Stop(kStopLimit);
  });
  const bool all_ended = fibers.Run();
  EndProcessUnless(succeeded, all_ended);
}

void ServeThreadPool(net::Listener& listener, const Session& session, const Limits& limits,
                     std::size_t threads) {
  AcceptLoop loop;
  net::FiberLoop fibers({.sleepers_hold_their_thread = true, .reports_at_once = 1});
  SessionFibers sessions(fibers, session, limits);
  const Pool pool(fibers, threads);
  const bool succeeded = sessions.AcceptUntilTheEnd(loop, listener);
  fibers.Stop(kStopLimit);
  // Waits for the end as one of them, since those at work cannot be ended, only given up.
  const bool all_ended = fibers.Run();
  EndProcessUnless(succeeded, all_ended);
}

}  // namespace rpycbench::model
