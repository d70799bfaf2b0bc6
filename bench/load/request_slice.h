// A number of requests over several connections, all driven by coroutines on the calling thread. A
// coroutine that has had its reply takes the next request, so all connections are busy until the
// last one is taken. It serves rows about the generator itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "fixtures/clients/clients.h"
#include "fixtures/clients/wire_totals.h"
#include "fixtures/meter/samples.h"
#include "servers/net/coroutine.h"
#include "servers/net/wait.h"

namespace rpycbench {

// `Call` is invoked with a connection and throws if the reply is wrong.
template <class Call>
class RequestSlice {
 public:
  RequestSlice(const net::Endpoint& server, const Options& options, const ServerMode& mode,
               std::size_t connections, Call call)
      : server_(server),
        options_(options),
        mode_(mode),
        call_(std::move(call)),
        clients_(connections),
        coroutines_(context_, {.others_before_answers = true, .kept_stacks = connections}) {}

  // Connects all and makes one request on each. Like all methods below, throws the first exception
  // that a coroutine threw.
  void Connect() {
    RunAll([this](std::unique_ptr<HttpClient>& client) {
      client = MakeUniqueClient<HttpClient>(server_, options_, mode_);
      call_(*client);
    });
  }
  // Makes `count` requests and records what each took, including the wait for a turn on the thread.
  void MakeRequests(std::uint64_t count, Samples& latencies) {
    left_ = count;
    RunAll([this, &latencies](std::unique_ptr<HttpClient>& client) {
      auto before = Samples::Clock::now();
      while (left_ > 0) {
        --left_;
        net::Yield();
        call_(*client);
        const auto after = Samples::Clock::now();
        latencies.Add({before, after - before});
        before = after;
      }
    });
  }
  WireTotals Wire() const {
    WireTotals totals;
    for (const auto& client : clients_) totals += WireTotals::Of(*client);
    return totals;
  }
  void CloseAll() {
    RunAll([](std::unique_ptr<HttpClient>& client) { client->Close(); });
  }

 private:
  template <class Step>
  void RunAll(const Step& step) {
    for (auto& client : clients_) {
      coroutines_.Start([this, &step, &client] {
        try {
          step(client);
        } catch (...) {
          left_ = 0;
          if (!failure_) failure_ = std::current_exception();
        }
      });
    }
    coroutines_.RunToTheEnd();
    if (failure_) std::rethrow_exception(failure_);
  }

  net::Endpoint server_;
  const Options& options_;
  const ServerMode& mode_;
  Call call_;
  std::vector<std::unique_ptr<HttpClient>> clients_;
  std::uint64_t left_ = 0;
  std::exception_ptr failure_;
  net::OneThreadContext context_;
  net::Coroutines coroutines_;
};

}  // namespace rpycbench
