#include "bench/load/open_loop_clients.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fixtures/testing/started_server.h"

namespace rpycbench {
namespace {

using std::chrono::milliseconds;

TEST(OpenLoopClients, SaturationOfAServerSlowerThanTheMeasurementIsARate) {
  StartedServer server(StartedServer::Native("tcp", "threaded", {"--delay=sleep:constant:300000"}));
  const Options options;
  const auto ping = [](TcpClient& client) { client.Ping(); };
  OpenLoopClients<TcpClient, decltype(ping)> clients(server.endpoint(), options,
                                                     *FindMode("tcp_threaded"), 1, false, ping);
  clients.Connect();
  const double per_second = clients.Saturate(std::chrono::milliseconds(1));
  EXPECT_GT(per_second, 0);
  EXPECT_LE(per_second, 1 / 0.3);
  clients.CloseAll();
}

// Clients of the floor, and a window of calls that are due each millisecond.
class OpenLoopWindows : public testing::Test {
 protected:
  using Ping = void (*)(TcpClient&);
  using Clients = OpenLoopClients<TcpClient, Ping>;

  void Start(const std::string& model, const std::string& flag) {
    server_.emplace(StartedServer::Native("tcp", model, {flag}));
  }
  Clients Connect(std::size_t connections) {
    return {server_->endpoint(), options_, *FindMode("tcp_threaded"), connections, false, ping_};
  }
  static OpenLoopWindow Run(Clients& clients, int calls) {
    std::vector<std::chrono::nanoseconds> schedule;
    for (int i = 0; i < calls; ++i) schedule.emplace_back(milliseconds(i));
    return clients.Run(schedule, Samples::Clock::now(), milliseconds(200));
  }

  Options options_;
  Ping ping_ = [](TcpClient& client) { client.Ping(); };
  std::optional<StartedServer> server_;
};

TEST_F(OpenLoopWindows, CallsThatTheServerRefusesAreCounted) {
  for (const char* const model : {"threaded", "forking", "async"}) {
    SCOPED_TRACE(model);
    Start(model, "--max_connections=2");
    Clients clients = Connect(4);
    clients.Connect();
    EXPECT_EQ(clients.connected(), 2u);
    EXPECT_GT(clients.Saturate(milliseconds(10)), 0) << "of those that are connected";
    OpenLoopWindow window = Run(clients, 200);
    EXPECT_GT(window.refused, 0u);
    EXPECT_GT(window.answered(), 0u);
    EXPECT_EQ(window.timed_out, 0u);
    EXPECT_EQ(window.answered() + window.refused + window.given_up(), 200u);
    EXPECT_EQ(window.responses.PercentileUs(99), std::nullopt);
    EXPECT_EQ(window.services.PercentileUs(99), std::nullopt);
    EXPECT_GE(window.wire.round_trips, window.answered());
    clients.CloseAll();
  }
}

TEST_F(OpenLoopWindows, CallsThatTimeOutAreCountedAndTheirConnectionsReplaced) {
  options_.call_timeout = milliseconds(150);
  Start("threaded", "--delay=sleep:bimodal:100:400000:10");
  Clients clients = Connect(16);
  clients.Connect();
  OpenLoopWindow window = Run(clients, 300);
  EXPECT_GT(window.timed_out, 0u);
  EXPECT_EQ(window.refused, 0u);
  EXPECT_GT(window.answered(), window.timed_out);
  EXPECT_GE(window.longest_unanswered, milliseconds(150));
  EXPECT_GT(window.MeanUs(), window.responses.MeanUs());
  EXPECT_GT(window.wire.connections, 0u) << "none was made anew";
  clients.CloseAll();
}

TEST_F(OpenLoopWindows, AWrongReplyIsAnError) {
  Start("threaded", "--max_connections=100");
  int calls = 0;
  const auto lie = [&](TcpClient& client) {
    client.Ping();
    if (++calls > 20) throw std::runtime_error("wrong reply");
  };
  OpenLoopClients<TcpClient, decltype(lie)> clients(server_->endpoint(), options_,
                                                    *FindMode("tcp_threaded"), 4, false, lie);
  clients.Connect();
  const std::vector<std::chrono::nanoseconds> schedule(100, milliseconds(0));
  EXPECT_THROW(clients.Run(schedule, Samples::Clock::now(), milliseconds(200)), std::runtime_error);
}

TEST_F(OpenLoopWindows, AServerThatTakesNoConnectionIsAnError) {
  Start("threaded", "--max_connections=100");
  Clients clients = Connect(4);
  server_.reset();
  EXPECT_THROW(clients.Connect(), std::runtime_error);
}

TEST(CallEnd, DependsOnWhatWasThrown) {
  EXPECT_EQ(EndOf(HttpError("overloaded", 503)), CallEnd::kRefused);
  EXPECT_EQ(EndOf(HttpError("too many requests", 429)), CallEnd::kRefused);
  EXPECT_EQ(EndOf(HttpError("broken", 500)), CallEnd::kFailed);
  EXPECT_EQ(EndOf(std::runtime_error("wrong reply to ping")), CallEnd::kFailed);
}

}  // namespace
}  // namespace rpycbench
