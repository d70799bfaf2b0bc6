// The slots of a row whose clients make their requests together: clients that stay connected and
// make them again and again, as many at a time as a slot is long.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bench/load/client_load.h"
#include "fixtures/slot.h"

namespace rpycbench {

template <template <class, class> class Clients, class Source, class Call>
class ClientSlots : public SlotRunner {
 public:
  // Connects all clients. Throws if one failed.
  ClientSlots(const net::Endpoint& server, const Options& options, const ServerMode& mode,
              std::size_t clients, const Call& call, const cpu_set_t& cpus)
      : call_(call),
        source_(server, options, mode, clients, call_),
        clients_(clients, kMostRequests, source_, call_, cpus) {
    CheckDescriptorsFor(clients);
    clients_.Connect();
    CheckAllSucceeded(clients_.results());
  }

  SlotResult Run(const SlotLength& length, Samples& times) override {
    SlotResult slot;
    // The first ones warm up. Before the very first it is not known how many there is time for.
    const auto warmup = length.time / 8;
    do {
      slot.spent = {};
      slot.operations += MakeRequests(Fitting(warmup), slot.spent);
    } while (slot.spent < warmup / 2);
    slot.spent = {};
    std::uint64_t counted = 0;
    do {
      counted += MakeRequests(Fitting(length.time), slot.spent);
      for (const ClientResult& result : clients_.results()) times.Append(result.latencies);
    } while (slot.spent < length.time * 3 / 4);
    slot.operations += counted;
    slot.cost_us = static_cast<double>(slot.spent.count()) / 1e3 / static_cast<double>(counted);
    return slot;
  }
  WireTotals Wire() const override { return source_.Wire(); }
  void Close() override { clients_.CloseAll(); }

 private:
  static constexpr std::int64_t kMostRequests = 1'000;  // by each client at a time

  // Returns how many requests each client can make in that time; 1 before the first of them.
  std::int64_t Fitting(std::chrono::nanoseconds time) const {
    if (each_ns_ == 0) return 1;
    const double fitting = static_cast<double>(time.count()) / each_ns_;
    return static_cast<std::int64_t>(std::clamp(fitting, 1.0, double{kMostRequests}));
  }

  // Lets each client make so many requests and adds the time that they took. Returns how many all
  // of them made.
  std::uint64_t MakeRequests(std::int64_t requests, std::chrono::nanoseconds& spent) {
    for (ClientResult& result : clients_.results()) result.latencies.Clear();
    clients_.SetRequests(requests);
    clients_.MakeRequests();
    CheckAllSucceeded(clients_.results());
    const std::chrono::nanoseconds took = FromFirstToLast(clients_.results());
    each_ns_ = static_cast<double>(took.count()) / static_cast<double>(requests);
    spent += took;
    return static_cast<std::uint64_t>(requests) * clients_.results().size();
  }

  Call call_;
  double each_ns_ = 0;  // the time of a request by each client; 0 before the first
  Source source_;
  Clients<Source, Call> clients_;
};

}  // namespace rpycbench
