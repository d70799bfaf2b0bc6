#include "servers/model/threaded.h"

#include <condition_variable>
#include <cstdlib>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "servers/model/accept_loop.h"
#include "servers/net/log.h"

namespace rpycbench::model {
namespace {

// Owns the threads and sockets of all live sessions.
class SessionThreads {
 public:
  explicit SessionThreads(const Session& session) : session_(session) {}

  std::size_t live() {
    const std::scoped_lock lock(mutex_);
    return live_.size();
  }

  void Start(net::Socket socket) {
    const std::scoped_lock lock(mutex_);
    const auto entry = live_.emplace(live_.end());
    entry->socket = std::move(socket);
    try {
      entry->thread = std::thread([this, entry] { Run(entry); });
    } catch (const std::system_error& error) {
      net::LogLine("start a thread for " + entry->socket.peer().ToString() + ": " + error.what());
      live_.erase(entry);
    }
  }

  // Wakes all sessions and waits for their end. Returns false if some did not end in time.
  bool StopAll() {
    std::unique_lock lock(mutex_);
    for (Entry& entry : live_) entry.socket.ShutdownBoth();
    const bool all_ended = ended_.wait_for(lock, kStopLimit, [&] { return live_.empty(); });
    std::thread last = std::move(last_finished_);
    lock.unlock();
    // A thread that waits for a session still at work ends with the process.
    if (last.joinable()) all_ended ? last.join() : last.detach();
    return all_ended;
  }

 private:
  struct Entry {
    net::Socket socket;
    std::thread thread;
  };
  using Entries = std::list<Entry>;

  void Run(Entries::iterator entry) {
    session_(entry->socket);
    std::thread previous;
    {
      const std::scoped_lock lock(mutex_);
      entry->socket.Close();
      previous = std::exchange(last_finished_, std::move(entry->thread));
      live_.erase(entry);
      ended_.notify_one();
    }
    // Each thread joins the one that finished before it. The accepting thread thus has no joining
    // to do, whose cost the next client to connect would pay.
    if (previous.joinable()) previous.join();
  }

  const Session& session_;
  std::mutex mutex_;
  std::condition_variable ended_;
  Entries live_;
  std::thread last_finished_;
};

}  // namespace

void ServeThreaded(net::Listener& listener, const Session& session, const Limits& limits) {
  AcceptLoop loop(listener, limits);
  SessionThreads threads(session);
  loop.Run({.on_connection = [&](net::Socket socket) {
    if (threads.live() >= limits.max_connections) return LogRefusal(socket, limits);
    threads.Start(std::move(socket));
  }});
  if (!threads.StopAll()) std::_Exit(EXIT_SUCCESS);
}

}  // namespace rpycbench::model
