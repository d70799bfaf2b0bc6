#include "servers/model/multiplexed.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
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
#include "servers/net/coroutine.h"
#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

// The live sessions and their sockets.
class SessionCoroutines {
 public:
  SessionCoroutines(net::Coroutines& coroutines, const Session& session, const Limits& limits)
      : coroutines_(coroutines), session_(session), limits_(limits) {}

  // Serves connections until the server should stop, then wakes all sessions so that they end.
  // Returns false after a failure, which it has reported.
  bool AcceptUntilTheEnd(net::Listener& listener) {
    bool failed = false;
    listener.AcceptFor(coroutines_);
    try {
      AcceptLoop loop(listener, limits_);
      loop.Run({.on_connection = [this](net::Socket socket) { Start(std::move(socket)); }});
    } catch (const std::exception& error) {
      net::LogLine(error.what());
      failed = true;
    }
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
      coroutines_.Start([this, entry] { Run(entry); });
    } catch (const std::bad_alloc&) {
      net::LogLine("start a coroutine for " + entry->peer().ToString() +
                   ": no memory for its stack");
      live_.erase(entry);
    }
  }

  void Run(std::list<net::Socket>::iterator entry) {
    session_(*entry);
    const std::scoped_lock lock(mutex_);
    live_.erase(entry);  // closes the socket under the lock, so not during ShutdownBoth
  }

  net::Coroutines& coroutines_;
  const Session& session_;
  const Limits& limits_;
  std::mutex mutex_;  // never held while a coroutine suspends
  std::list<net::Socket> live_;
};

// Threads that run a context until it is stopped.
class Pool {
 public:
  Pool(net::asio::io_context& context, std::size_t threads) : work_(context.get_executor()) {
    try {
      while (threads_.size() < threads) {
        threads_.push_back(std::async(std::launch::async, [&context] { context.run(); }));
      }
    } catch (const std::system_error&) {
      context.stop();
      throw;
    }
  }

  // Waits until every thread has ended. Returns false if some thread has not ended after `limit`.
  bool Ended(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    return std::ranges::all_of(threads_, [&](std::future<void>& thread) {
      if (thread.wait_until(deadline) != std::future_status::ready) return false;
      thread.get();  // throws what ended it early
      return true;
    });
  }

 private:
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work_;
  std::vector<std::future<void>> threads_;
};

// Ends the process if sessions are left over, because nothing else can end them.
void EndProcessUnless(bool succeeded, bool all_ended) {
  if (!succeeded || !all_ended) std::_Exit(succeeded ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace

void ServeAsync(net::Listener& listener, const Session& session, const Limits& limits) {
  net::Coroutines coroutines(listener.context(), {});
  SessionCoroutines sessions(coroutines, session, limits);
  const bool succeeded = sessions.AcceptUntilTheEnd(listener);
  const bool all_ended = coroutines.RunToTheEnd(kStopLimit);
  EndProcessUnless(succeeded, all_ended);
}

void ServeThreadPool(net::Listener& listener, const Session& session, const Limits& limits) {
  net::asio::io_context context(static_cast<int>(limits.pool_threads));
  net::Coroutines coroutines(context, {.sleepers_hold_their_thread = true});
  SessionCoroutines sessions(coroutines, session, limits);
  Pool pool(context, limits.pool_threads);
  const bool succeeded = sessions.AcceptUntilTheEnd(listener);
  coroutines.StopAtTheEnd();
  const bool all_ended = pool.Ended(kStopLimit);
  EndProcessUnless(succeeded, all_ended);
}

}  // namespace rpycbench::model
