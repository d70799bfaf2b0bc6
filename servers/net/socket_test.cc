// Tests sockets, endpoints and buffers over real connections on the loopback interface. Error texts
// must name the operation and the peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "servers/net/buffer.h"
#include "servers/net/listener.h"

namespace rpycbench::net {
namespace {

using std::chrono_literals::operator""ms;
using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using testing::ThrowsMessage;

class SocketTest : public testing::Test {
 protected:
  SocketTest() : listener_(Endpoint::Resolve("127.0.0.1", 0)) {
    client_ = Socket::Connect(Endpoint::Resolve("127.0.0.1", listener_.port()), 2000ms);
    server_ = listener_.Accept(2000ms);
  }

  Listener listener_;
  Socket client_;
  Socket server_;
};

TEST_F(SocketTest, MovesBytesAndCountsThemAndTheirSegments) {
  client_.SendAll("hello", 5);
  char received[5];
  server_.ReceiveExactly(received, sizeof received);
  EXPECT_EQ(std::string(received, 5), "hello");
  EXPECT_EQ(client_.bytes_sent(), 5u);
  EXPECT_EQ(server_.bytes_received(), 5u);
  for (const Socket* end : {&client_, &server_}) {
    EXPECT_EQ(end->segments().total, 1u);
    EXPECT_EQ(end->segments().retransmits, 0u);
  }
}

TEST_F(SocketTest, GathersBlocksBeyondTheKernelsLimitInOrder) {
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(std::to_string(i) + std::string(1000, 'a'));
  std::vector<iovec> blocks;
  for (std::string& text : texts) {
    expected += text;
    blocks.push_back({text.data(), text.size()});
  }
  std::string received(expected.size(), '\0');
  std::thread receiver([&] { server_.ReceiveExactly(received.data(), received.size()); });
  client_.SendAll(blocks);
  receiver.join();
  EXPECT_TRUE(received == expected);
  EXPECT_EQ(client_.bytes_sent(), expected.size());
}

TEST_F(SocketTest, ReportsATimeoutWithOperationAndPeer) {
  client_.SetTimeout(20ms);
  char byte;
  EXPECT_THAT([&] { client_.ReceiveSome(&byte, 1); },
              AllOf(Throws<Error>(Property(&Error::timed_out, true)),
                    ThrowsMessage<Error>(HasSubstr("receive from 127.0.0.1:"))));
}

TEST_F(SocketTest, ReportsAnEndInTheMiddle) {
  client_.SendAll("hal", 3);
  client_.ShutdownSend();
  char received[5];
  EXPECT_THROW(server_.ReceiveExactly(received, 5), EndOfStream);
  EXPECT_EQ(server_.ReceiveSome(received, 5), 0u);
}

TEST_F(SocketTest, RefusedConnectNamesThePeer) {
  const std::uint16_t port = listener_.port();
  listener_.Close();
  EXPECT_THAT([&] { Socket::Connect(Endpoint::Resolve("127.0.0.1", port), 500ms); },
              ThrowsMessage<Error>(AllOf(HasSubstr("connect to 127.0.0.1:" + std::to_string(port)),
                                         HasSubstr("Connection refused"))));
}

TEST_F(SocketTest, CloseAfterPeerWaitsForThePeersEnd) {
  std::thread closer([&] {
    char byte;
    EXPECT_EQ(server_.ReceiveSome(&byte, 1), 0u);
    server_.Close();
  });
  client_.CloseAfterPeer();
  closer.join();
  EXPECT_FALSE(client_.is_open());
}

TEST_F(SocketTest, CloseAfterPeerEndsWithAPeerThatTrickles) {
  client_.SetTimeout(100ms);
  std::thread trickler([&] {
    try {
      for (;;) {
        server_.SendAll("x", 1);
        std::this_thread::sleep_for(20ms);
      }
    } catch (const Error&) {
      // The client has closed.
    }
  });
  const auto start = std::chrono::steady_clock::now();
  client_.CloseAfterPeer();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5000ms);
  trickler.join();
}

// A full backlog drops the first segment of a connection, and TCP sends it again a second later.
TEST(RetransmitsTest, WhatIsSentAgainIsCounted) {
  Endpoint address = Endpoint::Resolve("127.0.0.1", 0);
  const Descriptor owned(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int listener = owned.get();
  ASSERT_EQ(::bind(listener, address.get(), address.size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ASSERT_EQ(::getsockname(listener, address.get(), &address.size), 0);
  const Socket fills_the_backlog = Socket::Connect(address, 2000ms);

  const int late = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const Socket socket(late, address);
  ASSERT_EQ(::connect(late, address.get(), address.size), -1);
  ASSERT_EQ(errno, EINPROGRESS);
  const Descriptor accepted(::accept(listener, nullptr, nullptr));
  pollfd connected{late, POLLOUT, 0};
  ASSERT_EQ(::poll(&connected, 1, 10'000), 1);
  EXPECT_GE(socket.segments().retransmits, 1u);
}

TEST(EndpointTest, UnknownHostIsNamed) {
  EXPECT_THAT([] { Endpoint::Resolve("no-such-host.invalid", 1); },
              ThrowsMessage<std::runtime_error>(HasSubstr("no-such-host.invalid")));
}

TEST(EndpointTest, PrintsBothFamilies) {
  EXPECT_EQ(Endpoint::Resolve("127.0.0.1", 80).ToString(), "127.0.0.1:80");
  EXPECT_EQ(Endpoint::Resolve("::1", 80).ToString(), "[::1]:80");
  EXPECT_EQ(Endpoint::Resolve("127.0.0.1", 80).host(), "127.0.0.1");
  EXPECT_EQ(Endpoint::Resolve("::1", 80).host(), "::1");
  EXPECT_EQ(Endpoint().ToString(), "?");
}

TEST(BufferTest, GrowsAndKeepsContents) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    buffer.append("abc" + std::to_string(i));
    expected += "abc" + std::to_string(i);
  }
  EXPECT_EQ(buffer.view(), expected);
  const std::size_t capacity = buffer.capacity();
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.append("xyz");
  buffer.resize(capacity + 1);
  EXPECT_EQ(buffer.view().substr(0, 3), "xyz");
}

}  // namespace
}  // namespace rpycbench::net
