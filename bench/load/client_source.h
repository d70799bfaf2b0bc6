// Where one of many clients gets its connection from. Either it has its own, or it borrows one from
// a pool for each request, as HTTP libraries do. With a pool, a request's time includes the wait
// for a free connection and the pool's lock. A connection counts as made when it has answered. The
// kernel's backlog accepts it long before a thread or a process serves it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "fixtures/clients/clients.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

// A connection for each client. The thread or coroutine of a client calls the methods that take its
// number, and no two clients share any state.
template <class Client>
class OwnConnections {
 public:
  // Connects nothing yet. `Call` is invoked with a connection and throws if the reply is wrong.
  template <class Call>
  OwnConnections(const net::Endpoint& server, const Options& options, const ServerMode& mode,
                 std::size_t clients, const Call&)
      : server_(server), options_(options), mode_(mode), connections_(clients) {}

  // Connects and makes the first call. Returns the time until its reply.
  template <class Call>
  std::optional<Samples::Clock::duration> Connect(std::size_t client, const Call& first_call) {
    const auto start = Samples::Clock::now();
    connections_[client] = MakeUniqueClient<Client>(server_, options_, mode_);
    first_call(*connections_[client]);
    return Samples::Clock::now() - start;
  }
  template <class Call>
  void With(std::size_t client, const Call& call) {
    call(*connections_[client]);
  }
  // Returns the number of connections.
  std::size_t size() const { return connections_.size(); }
  // Gives up a connection without waiting for the server. Connect makes the client another one.
  void Drop(std::size_t client) {
    if (connections_[client] == nullptr) return;
    dropped_ += WireTotals::Of(*connections_[client]);
    connections_[client] = nullptr;
  }
  bool IsConnected(std::size_t client) const { return connections_[client] != nullptr; }
  void CloseAll() {
    for (auto& connection : connections_) {
      if (connection) connection->Close();
    }
  }
  // Returns the totals of all connections, dropped ones included.
  WireTotals Wire() const {
    WireTotals totals = dropped_;
    for (const auto& connection : connections_) {
      if (connection) totals += WireTotals::Of(*connection);
    }
    return totals;
  }

 private:
  net::Endpoint server_;
  const Options& options_;
  const ServerMode& mode_;
  std::vector<std::unique_ptr<Client>> connections_;
  WireTotals dropped_;
};

// A fixed number of connections that are made beforehand and shared by all clients. A client that
// waits for one blocks its thread, so this is not for clients that are coroutines.
template <class Client>
class PooledConnections {
 public:
  static constexpr std::size_t kSize = 10;

  template <class Call>
  PooledConnections(const net::Endpoint& server, const Options& options, const ServerMode& mode,
                    std::size_t, const Call& first_call) {
    for (std::size_t i = 0; i < kSize; ++i) {
      all_.push_back(MakeUniqueClient<Client>(server, options, mode));
      first_call(*all_.back());
      free_.push_back(all_.back().get());
    }
  }

  // Does nothing, because the connections exist already. Returns no time.
  template <class Call>
  std::optional<Samples::Clock::duration> Connect(std::size_t, const Call&) {
    return std::nullopt;
  }
  template <class Call>
  void With(std::size_t, const Call& call) {
    const Borrowed borrowed(*this);
    call(*borrowed.client);
  }
  std::size_t size() const { return all_.size(); }
  void CloseAll() {
    for (auto& connection : all_) connection->Close();
  }
  WireTotals Wire() const {
    WireTotals totals;
    for (const auto& connection : all_) totals += WireTotals::Of(*connection);
    return totals;
  }

 private:
  struct Borrowed {
    explicit Borrowed(PooledConnections& from) : pool(from) {
      std::unique_lock lock(pool.mutex_);
      pool.available_.wait(lock, [&] { return !pool.free_.empty(); });
      client = pool.free_.back();
      pool.free_.pop_back();
    }
    ~Borrowed() {
      const std::scoped_lock lock(pool.mutex_);
      pool.free_.push_back(client);
      pool.available_.notify_one();
    }
    PooledConnections& pool;
    Client* client;
  };

  std::vector<std::unique_ptr<Client>> all_;
  std::mutex mutex_;
  std::condition_variable available_;
  std::vector<Client*> free_;
};

}  // namespace rpycbench
