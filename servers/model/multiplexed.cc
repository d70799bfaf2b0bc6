#include "servers/model/multiplexed.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <future>
#include <list>
#include <mutex>
#include <system_error>
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

  // Serves connections until the server should stop, then wakes all sessions so that they end.
  // Returns false after a failure, which it has reported.
  bool AcceptUntilTheEnd(AcceptLoop& loop, net::Listener& listener) {
    bool failed = false;
    listener.AcceptForFibers();
    try {
      loop.Run(listener, limits_,
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
    if (live_.size() >= limits_.max_connections) return LogRefusal(socket, limits_);
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
    live_.erase(entry);  // closes the socket under the lock, so not during ShutdownBoth
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
  Pool(net::FiberLoop& fibers, std::size_t threads) {
    try {
      while (threads_.size() < threads) {
        threads_.push_back(std::async(std::launch::async, [&fibers] { return fibers.Run(); }));
      }
    } catch (const std::system_error&) {
      fibers.Stop(std::chrono::milliseconds(0));
      throw;
    }
  }

  // Waits until every thread has ended. Returns false if some thread has not ended after `limit`,
  // or has left sessions over.
  bool Ended(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    return std::ranges::all_of(threads_, [&](std::future<bool>& thread) {
      return thread.wait_until(deadline) == std::future_status::ready && thread.get();
    });
  }

 private:
  std::vector<std::future<bool>> threads_;
};

// Ends the process if sessions are left over, because nothing else can end them.
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

void ServeThreadPool(net::Listener& listener, const Session& session, const Limits& limits) {
  AcceptLoop loop;
  net::FiberLoop fibers({.sleepers_hold_their_thread = true, .reports_at_once = 1});
  SessionFibers sessions(fibers, session, limits);
  Pool pool(fibers, limits.pool_threads);
  const bool succeeded = sessions.AcceptUntilTheEnd(loop, listener);
  fibers.Stop(kStopLimit);
  // This thread must not run fibers now: a fiber that holds its thread would delay the end as well.
  const bool all_ended = pool.Ended(kStopLimit);
  EndProcessUnless(succeeded, all_ended);
}

}  // namespace rpycbench::model
