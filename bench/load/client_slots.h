// The slots of a row whose clients make their requests together: clients that stay connected and
// make them again and again, as many at a time as a slot is long.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bench/load/client_load.h"
#include "bench/load/rate_slots.h"

namespace rpycbench {

template <template <class, class> class Clients, class Source, class Call>
class ClientSlots : public RateSlots {
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

  WireTotals Wire() const override { return source_.Wire(); }
  void Close() override { clients_.CloseAll(); }

 private:
  std::uint64_t MakeRequests(std::int64_t requests, std::chrono::nanoseconds& spent,
                             Samples& times) override {
    for (ClientResult& result : clients_.results()) result.latencies.KeepStartsLike(times);
    clients_.SetRequests(requests);
    clients_.MakeRequests();
    CheckAllSucceeded(clients_.results());
    for (const ClientResult& result : clients_.results()) times.Append(result.latencies);
    spent = FromFirstToLast(clients_.results());
    return static_cast<std::uint64_t>(requests) * clients_.results().size();
  }

  Call call_;
  Source source_;
  Clients<Source, Call> clients_;
};

}  // namespace rpycbench
