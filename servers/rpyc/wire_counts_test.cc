// Compares the counts of a native server with recorded conversations of the Python library, in both
// dialects. A recorded client plays its part. The server must answer as the recorded one did, and
// must have counted every message.
#include "servers/rpyc/wire/wire_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <tuple>

#include "servers/net/testing/message_of.h"
#include "servers/net/testing/socket_pair.h"
#include "servers/rpyc/benchmark_root.h"
#include "servers/rpyc/connection.h"
#include "servers/rpyc/testing/replay.h"

namespace rpycbench::rpyc {
namespace {

// All conversations of the benchmark service except those that end in an error whose text is the
// server's own.
constexpr const char* kConversations[] = {
    "benchmark_sequence",
    "ping",
    "ping_back_to_back",
    "ping_hoisted",
    "echo_bytes",
    "echo_str",
    "echo_values",
    "echo_list",
    "echo_mixed_tuple",
    "upload_10",
    "upload_4096",
    "upload_1MiB",
    "upload_kwargs",
    "download_10",
    "download_4096",
    "download_1MiB",
    "compute_1000",
    "sleep_0.01",
    "upload_file_4096",
    "download_file_4096",
    "upload_file_chunked_24x65536",
    "upload_file_chunked_24x100",
    "download_file_chunked_24x65536_iterate",
    "download_file_chunked_24x100_iterate",
    "download_file_chunked_24x100_call_only",
    "download_file_chunked_24x100_bench_postprocess",
    "download_file_chunked_24x100_buffiter",
    "download_file_chunked_index",
    "async_two",
    "async_two_nodelay",
    "conn_ping",
    "getattr",
    "getattr_missing",
    "setattr",
    "exception",
    "with",
    "items_3_attribute_each",
    "items_12_buffiter",
    "items_3_obtain",
    "items_3_by_value",
    "call_back_3",
    "numbers_3",
};

class ServerWireCountsTest : public testing::TestWithParam<std::tuple<Dialect, const char*>> {};

TEST_P(ServerWireCountsTest, IsWhatCrossed) {
  const auto [dialect, conversation] = GetParam();
  Replay replay(dialect, conversation, NativeEnd::kServer);
  net::SocketPair pair;
  const service::Service service;
  WireCounts counts;
  std::string error;
  std::thread server([&] {
    Connection connection(pair.right, {}, std::make_shared<BenchmarkRoot>(service));
    error = MessageOf<std::exception>([&] { connection.Serve(); });
    counts = connection.counts();
    pair.right.ShutdownBoth();
  });
  EXPECT_NO_THROW(replay.Run(pair.left));
  pair.left.ShutdownBoth();
  server.join();
  EXPECT_EQ(error, "");
  EXPECT_EQ(counts, replay.counts());
}

// A function, because the commas in a lambda would end the macro's argument.
std::string NameOf(const testing::TestParamInfo<std::tuple<Dialect, const char*>>& instance) {
  const auto& [dialect, conversation] = instance.param;
  std::string name = (dialect == Dialect::k5 ? "Rpyc5_" : "Rpyc6_") + std::string(conversation);
  std::ranges::replace(name, '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Recorded, ServerWireCountsTest,
                         testing::Combine(testing::Values(Dialect::k5, Dialect::k6),
                                          testing::ValuesIn(kConversations)),
                         NameOf);

}  // namespace
}  // namespace rpycbench::rpyc
