// Connections that exist next to one that crashes its session. Each has a thread that calls ping
// without pause, from before the crash until the connection, or its replacement, works again. A
// lost connection is replaced at once. If the server is gone, the bystander reports that and waits
// until there is another one.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "fixtures/meter/samples.h"
#include "fixtures/server_fixture.h"
#include "servers/net/socket.h"

namespace rpycbench {

// What one bystander saw of one crash.
struct BystanderResult {
  Samples calm;                             // its calls before the crash
  Samples::Clock::duration longest_gap{};   // its longest wait for a reply since then
  Samples::Clock::time_point recovered_at;  // reply to its first ping after the crash
  bool lost = false;                        // whether a call found its connection ended
  std::string error;                        // any other failure; empty if there was none
};

// The bystanders of one crash. Only the thread that causes the crash may call the methods.
template <class Client>
class Bystanders {
 public:
  using Clock = Samples::Clock;
  using Connections = std::vector<std::unique_ptr<Client>>;
  // Returns a new connection that has answered. Throws what its constructor and its call throw.
  using Connect = std::function<std::unique_ptr<Client>(const net::Endpoint&)>;

  static constexpr std::size_t kCalmCalls = 10;

  // Starts a thread for each connection and replaces connections that are lost. `patience` bounds
  // each wait. The connections must outlive this object. Throws std::system_error if a thread can't
  // be started.
  Bystanders(Connections& connections, const net::Endpoint& server, Connect connect,
             std::chrono::milliseconds patience)
      : connections_(connections),
        connect_(std::move(connect)),
        patience_(patience),
        results_(connections.size()),
        server_(server) {
    for (BystanderResult& result : results_) result.calm.Reset(kCalmCalls);
    try {
      for (std::size_t i = 0; i < connections.size(); ++i) {
        threads_.emplace_back([this, i] { Run(i); });
      }
    } catch (const std::system_error&) {
      Stop();
      throw;
    }
  }

  Bystanders(const Bystanders&) = delete;
  Bystanders& operator=(const Bystanders&) = delete;
  ~Bystanders() { Stop(); }

  // Waits until each bystander has had kCalmCalls replies. Throws if one lost its connection.
  void AwaitCalm() {
    std::unique_lock lock(mutex_);
    Await(lock, "before the crash", [&] { return calm_ == results_.size(); });
  }
  // Marks the moment before the crash is sent; connections may be lost from now on.
  void CrashBegins(Clock::time_point now) { crash_begins_ = now; }
  // Marks the moment when the crashed session is gone.
  void CrashEnded(Clock::time_point now) { crash_ended_ = now; }
  // Waits until each bystander has had a reply to a ping that it sent after the crash. If one finds
  // no server, calls `restart`, which returns the endpoint of the new one. Throws what `restart`
  // throws, and the first error of a bystander.
  template <class Restart>
  void AwaitRecovery(const Restart& restart) {
    std::unique_lock lock(mutex_);
    for (;;) {
      Await(lock, "after the crash", [&] { return recovered_ == results_.size() || gone_; });
      if (!gone_) return;
      lock.unlock();
      const net::Endpoint next = restart();
      lock.lock();
      server_ = next;
      ++generation_;
      gone_ = false;
      changed_.notify_all();
    }
  }
  // Returns one result for each bystander; valid after AwaitRecovery.
  std::vector<BystanderResult>& results() { return results_; }

 private:
  void Run(std::size_t i) {
    try {
      PingUntilRecovered(i);
    } catch (const std::exception& error) {
      const std::scoped_lock lock(mutex_);  // those who look for errors hold it, too
      results_[i].error = error.what();
      ++failed_;
      changed_.notify_all();
    }
  }

  void PingUntilRecovered(std::size_t i) {
    BystanderResult& result = results_[i];
    std::size_t generation = 0;  // which server the connection leads to
    for (;;) {
      const auto asked = Clock::now();
      auto sent = asked;
      while (!Ping(i, generation)) {
        if (stopped_) return;
        sent = Clock::now();
      }
      const auto answered = Clock::now();
      if (stopped_) return;
      if (result.calm.count() < kCalmCalls) {
        result.calm.Add(answered - asked);
        if (result.calm.count() == kCalmCalls) Report(calm_);
      } else if (answered >= crash_begins_.load()) {
        result.longest_gap = std::max(result.longest_gap, answered - asked);
      }
      if (sent >= crash_ended_.load()) {
        result.recovered_at = answered;
        return Report(recovered_);
      }
    }
  }

  // Returns whether an answer came; if not, the connection is gone.
  bool Ping(std::size_t i, std::size_t& generation) {
    std::unique_ptr<Client>& connection = connections_[i];
    bool refused = false;
    try {
      if (connection) {
        Verify(connection->Ping() == "pong", "ping");
      } else {
        connection = connect_(Server(generation));
      }
      return true;
    } catch (const net::EndOfStream&) {
      if (!CrashMayHaveHappened()) throw;
    } catch (const net::Error& error) {
      if (error.timed_out() || !CrashMayHaveHappened()) throw;
      refused = error.code() == std::errc::connection_refused;
    }
    connection.reset();
    results_[i].lost = true;
    if (refused) AwaitServer(generation);
    return false;
  }

  bool CrashMayHaveHappened() const { return crash_begins_.load() <= Clock::now(); }

  net::Endpoint Server(std::size_t& generation) {
    const std::scoped_lock lock(mutex_);
    generation = generation_;
    return server_;
  }

  // Returns once there is another server than that of `generation`.
  void AwaitServer(std::size_t generation) {
    std::unique_lock lock(mutex_);
    if (generation != generation_) return;
    gone_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return generation != generation_ || stopped_; });
  }

  void Report(std::size_t& count) {
    const std::scoped_lock lock(mutex_);
    ++count;
    changed_.notify_all();
  }

  template <class Condition>
  void Await(std::unique_lock<std::mutex>& lock, const char* when, const Condition& condition) {
    const bool in_time =
        changed_.wait_for(lock, patience_, [&] { return failed_ > 0 || condition(); });
    if (failed_ > 0) {
      const auto failed = std::ranges::find_if(
          results_, [](const BystanderResult& result) { return !result.error.empty(); });
      throw std::runtime_error(std::string("a bystander failed ") + when + ": " + failed->error);
    }
    if (!in_time) {
      throw std::runtime_error(std::string("a bystander had no reply ") + when + " within " +
                               std::to_string(patience_.count()) + " ms");
    }
  }

  void Stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

  Connections& connections_;  // each used by its own thread alone
  Connect connect_;
  std::chrono::milliseconds patience_;
  std::vector<BystanderResult> results_;
  std::atomic<Clock::time_point> crash_begins_{Clock::time_point::max()};
  std::atomic<Clock::time_point> crash_ended_{Clock::time_point::max()};
  std::atomic<bool> stopped_{false};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  net::Endpoint server_;
  std::size_t generation_ = 0;
  bool gone_ = false;  // whether a bystander found no server
  std::size_t calm_ = 0;
  std::size_t recovered_ = 0;
  std::size_t failed_ = 0;

  std::vector<std::thread> threads_;
};

}  // namespace rpycbench
