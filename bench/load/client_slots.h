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
              std::size_t clients, std::int64_t requests, const Call& call, const cpu_set_t& cpus)
      : call_(call),
        most_(requests),
        source_(server, options, mode, clients, call_),
        clients_(clients, requests, source_, call_, cpus) {
    CheckDescriptorsFor(clients);
    clients_.Connect();
    CheckAllSucceeded(clients_.results());
  }

  SlotResult Run(const SlotLength& length, Samples& times) override {
    SlotResult slot;
    // The first ones warm up, and show how many a slot has time for.
    slot.operations = MakeRequests(requests_, slot.spent);
    const double fitting = static_cast<double>(requests_) *
                           static_cast<double>(length.time.count()) /
                           static_cast<double>(std::max<std::int64_t>(slot.spent.count(), 1));
    requests_ = static_cast<std::int64_t>(std::clamp(fitting, 1.0, static_cast<double>(most_)));
    slot.spent = {};
    std::uint64_t counted = 0;
    do {
      counted += MakeRequests(requests_, slot.spent);
      for (const ClientResult& result : clients_.results()) times.Append(result.latencies);
    } while (slot.spent < length.time);
    slot.operations += counted;
    slot.cost_us = static_cast<double>(slot.spent.count()) / 1e3 / static_cast<double>(counted);
    return slot;
  }
  WireTotals Wire() const override { return source_.Wire(); }
  void Close() override { clients_.CloseAll(); }

 private:
  // Lets each client make so many requests and adds the time that they took. Returns how many all
  // of them made.
  std::uint64_t MakeRequests(std::int64_t requests, std::chrono::nanoseconds& spent) {
    for (ClientResult& result : clients_.results()) result.latencies.Clear();
    clients_.SetRequests(requests);
    clients_.MakeRequests();
    CheckAllSucceeded(clients_.results());
    spent += FromFirstToLast(clients_.results());
    return static_cast<std::uint64_t>(requests) * clients_.results().size();
  }

  Call call_;
  std::int64_t most_;
  std::int64_t requests_ = 1;
  Source source_;
  Clients<Source, Call> clients_;
};

}  // namespace rpycbench
