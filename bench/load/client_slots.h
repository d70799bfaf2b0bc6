// The slots of a row whose clients make their requests together: clients that stay connected and
// make them again and again.
#pragma once

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
        source_(server, options, mode, clients, call_),
        clients_(clients, requests, source_, call_, cpus) {
    CheckDescriptorsFor(clients);
    clients_.Connect();
    CheckAllSucceeded(clients_.results());
  }

  SlotResult Run(const SlotLength& length, Samples& times) override {
    SlotResult slot;
    do {
      for (ClientResult& result : clients_.results()) result.latencies.Clear();
      clients_.MakeRequests();
      CheckAllSucceeded(clients_.results());
      slot.spent += FromFirstToLast(clients_.results());
      ++slot.rounds;
      for (const ClientResult& result : clients_.results()) {
        times.Append(result.latencies);
        slot.operations += result.latencies.count();
      }
    } while (slot.spent < length.time);
    slot.cost_us =
        static_cast<double>(slot.spent.count()) / 1e3 / static_cast<double>(slot.operations);
    return slot;
  }
  WireTotals Wire() const override { return source_.Wire(); }
  void Close() override { clients_.CloseAll(); }

 private:
  Call call_;
  Source source_;
  Clients<Source, Call> clients_;
};

}  // namespace rpycbench
