#include "bench/load/open_loop_clients.h"

#include <gtest/gtest.h>

#include <chrono>

#include "fixtures/testing/started_server.h"

namespace rpycbench {
namespace {

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

}  // namespace
}  // namespace rpycbench
