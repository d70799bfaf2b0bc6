// Tests how each policy sends a message: in how many segments, as the kernel counts them, and with
// every byte in its place. Also tests Unix-domain addresses, which have no such policies.
#include "servers/net/socket_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "servers/net/listener.h"

namespace rpycbench::net {
namespace {

using std::chrono_literals::operator""ms;

constexpr Writes kAllWrites[] = {Writes::kJoined, Writes::kSplit, Writes::kCorked};

struct Connected {
  explicit Connected(const SocketPolicy& policy, const std::string& host = "127.0.0.1")
      : listener(Endpoint::Resolve(host, 0), policy),
        client(Socket::Connect(listener.address(), 2000ms, policy)),
        server(listener.Accept(2000ms)) {}

  Listener listener;
  Socket client;
  Socket server;
};

int TcpOption(const Socket& socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(socket.descriptor(), IPPROTO_TCP, option, &value, &size), 0);
  return value;
}

std::string ReceiveText(Socket& socket, std::size_t size) {
  std::string text(size, '?');
  socket.ReceiveExactly(text.data(), size);
  return text;
}

TEST(SocketPolicyTest, NamesAreReadBack) {
  for (const Writes writes : kAllWrites) EXPECT_EQ(ParseWrites(ToString(writes)), writes);
  EXPECT_EQ(ParseWrites("joint"), std::nullopt);
}

TEST(SocketPolicyTest, NoDelayIsSetOnBothEndsUnlessThePolicySaysOtherwise) {
  for (const bool nodelay : {true, false}) {
    Connected pair({.nodelay = nodelay});
    EXPECT_EQ(TcpOption(pair.client, TCP_NODELAY), nodelay);
    EXPECT_EQ(TcpOption(pair.server, TCP_NODELAY), nodelay);
  }
  EXPECT_TRUE(SocketPolicy{}.nodelay);
}

TEST(SocketPolicyTest, SplitIsTwoSegmentsJoinedAndCorkedOne) {
  const struct {
    Writes writes;
    unsigned segments;
  } cases[] = {{Writes::kJoined, 1}, {Writes::kSplit, 2}, {Writes::kCorked, 1}};
  for (const auto& [writes, segments] : cases) {
    Connected pair({.writes = writes});
    // Once in one piece, once in blocks.
    pair.client.SendMessage("headpayload", 11, 4);
    EXPECT_EQ(ReceiveText(pair.server, 11), "headpayload") << ToString(writes);
    EXPECT_EQ(pair.client.segments().total, segments) << ToString(writes);
    std::string head = "head", payload = "payload";
    iovec blocks[] = {{head.data(), head.size()}, {payload.data(), payload.size()}};
    pair.server.SendMessage(blocks, 4);
    EXPECT_EQ(ReceiveText(pair.client, 11), "headpayload") << ToString(writes);
    EXPECT_EQ(pair.server.segments().total, 2 * segments) << "with those it received";
  }
}

TEST(SocketPolicyTest, AMessageThatIsAllHeadLeavesAtOnce) {
  for (const Writes writes : kAllWrites) {
    Connected pair({.writes = writes});
    pair.client.SendMessage("head", 4, 4);
    EXPECT_EQ(ReceiveText(pair.server, 4), "head") << ToString(writes);
    EXPECT_EQ(pair.client.segments().total, 1u) << ToString(writes);
  }
}

TEST(SocketPolicyTest, EveryCutKeepsBytesAndOrder) {
  std::string parts[] = {"abc", "", "defgh", "ij"};
  const std::string whole = "abcdefghij";
  for (const Writes writes : kAllWrites) {
    Connected pair({.writes = writes});
    for (std::size_t head = 0; head <= whole.size(); ++head) {
      std::vector<iovec> blocks;
      for (std::string& part : parts) blocks.push_back({part.data(), part.size()});
      pair.client.SendMessage(blocks, head);
      EXPECT_EQ(ReceiveText(pair.server, whole.size()), whole) << ToString(writes) << head;
    }
    EXPECT_EQ(pair.client.bytes_sent(), whole.size() * (whole.size() + 1)) << ToString(writes);
  }
}

TEST(SocketPolicyTest, AcknowledgementsAreAskedForUnlessThePolicySaysOtherwise) {
  for (const bool quick_ack : {true, false}) {
    Connected pair({.quick_ack = quick_ack});
    const int off = 0;
    setsockopt(pair.client.descriptor(), IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
    pair.client.RearmQuickAck();
    EXPECT_EQ(TcpOption(pair.client, TCP_QUICKACK), quick_ack);
  }
}

TEST(SocketPolicyTest, MovingASocketKeepsItsPolicy) {
  Connected pair({.writes = Writes::kSplit});
  Socket constructed(std::move(pair.client));
  Socket assigned;
  assigned = std::move(constructed);
  assigned.SendMessage("headpayload", 11, 4);
  EXPECT_EQ(ReceiveText(pair.server, 11), "headpayload");
  EXPECT_EQ(assigned.segments().total, 2u);
}

TEST(UnixSocketTest, ConnectsByAFreeName) {
  for (const Writes writes : kAllWrites) {
    Connected pair({.writes = writes}, "unix:");
    EXPECT_TRUE(pair.listener.address().is_unix());
    EXPECT_GT(pair.listener.address().host().size(), std::string("unix:").size());
    EXPECT_EQ(pair.listener.port(), 0);
    pair.client.SendMessage("headpayload", 11, 4);
    EXPECT_EQ(ReceiveText(pair.server, 11), "headpayload");
    pair.client.RearmQuickAck();  // does nothing on a Unix-domain socket
    pair.client.Close();
    char byte;
    EXPECT_EQ(pair.server.ReceiveSome(&byte, 1), 0u);
  }
}

TEST(UnixSocketTest, ANameIsTakenAsLongAsItsListenerLives) {
  const std::string host = "unix:rpycbench_test/" + std::to_string(getpid());
  const Endpoint address = Endpoint::Resolve(host, 0);
  EXPECT_EQ(address.ToString(), host);
  {
    const Listener listener(address);
    EXPECT_EQ(listener.address().host(), host);
    EXPECT_THAT([&] { const Listener second(address); },
                testing::ThrowsMessage<Error>("bind " + host + ": Address already in use"));
  }
  EXPECT_THROW(Socket::Connect(address, 500ms), Error);
  EXPECT_NO_THROW(Listener{address}) << "something of it was left";
}

TEST(UnixSocketTest, APathIsRemovedAtTheEndAndBoundAnewIfItWasLeftBehind) {
  const std::string path = testing::TempDir() + "rpycbench_test_" + std::to_string(getpid());
  const std::string host = "unix:" + path;
  const Endpoint address = Endpoint::Resolve(host, 0);
  EXPECT_EQ(address.path(), path);
  EXPECT_EQ(address.ToString(), host);
  {
    // A server that was killed has bound the path and removed nothing.
    const Descriptor killed(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(killed.get(), address.get(), address.size), 0);
  }
  {
    Connected pair({}, host);
    EXPECT_EQ(pair.listener.address().host(), host);
    pair.client.SendAll("hello", 5);
    EXPECT_EQ(ReceiveText(pair.server, 5), "hello");
    EXPECT_THAT([&] { const Listener second(address); },
                testing::ThrowsMessage<Error>("bind " + host + ": Address already in use"));
    pair.client.SendAll("again", 5);
    EXPECT_EQ(ReceiveText(pair.server, 5), "again");
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << path << " was left";
  // A file of somebody else's refuses connections like a path that was left behind.
  std::ofstream(path) << "precious";
  EXPECT_THROW(Listener{address}, Error);
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove(path);
  EXPECT_THAT([] { const Listener nowhere(Endpoint::Resolve("unix:/nowhere/name", 0)); },
              testing::ThrowsMessage<Error>("bind unix:/nowhere/name: No such file or directory"));
}

TEST(UnixSocketTest, NamesThatNeedQuotesAreRefused) {
  for (const std::string& name :
       std::initializer_list<std::string>{"a b", "\"", "a\n", std::string(101, 'a')}) {
    EXPECT_THAT(
        [&] { Endpoint::Resolve("unix:" + name, 0); },
        testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("resolve unix:" + name)));
  }
}

}  // namespace
}  // namespace rpycbench::net
