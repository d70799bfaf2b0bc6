// Tests TLS between two sockets, in threads and in coroutines, and what either end says of a bad
// peer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <functional>
#include <future>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "servers/net/allocation_count.h"
#include "servers/net/coroutine.h"
#include "servers/net/socket.h"
#include "servers/net/testing/certificate_files.h"
#include "servers/net/testing/loopback_server.h"
#include "servers/net/testing/message_of.h"
#include "servers/net/testing/socket_pair.h"
#include "servers/net/tls/certificates.h"
#include "servers/net/tls/context.h"
#include "servers/net/tls/stream.h"

namespace rpycbench::net {
namespace {

using std::chrono_literals::operator""ms;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kName = "service.example";

class TlsTest : public testing::TestWithParam<TlsVersion> {
 protected:
  TlsOptions ServerOptions(const std::vector<std::string>& names = {kName},
                           std::chrono::seconds validity = std::chrono::hours(1)) {
    TlsOptions options = files_.Of(authority_.Issue(names, validity), "server");
    options.version = GetParam();
    return options;
  }
  TlsOptions ClientOptions() {
    return {.authority = files_.Write("authority.pem", authority_.certificate()),
            .version = GetParam()};
  }

  // Lets both ends shake hands and do something. Returns what went wrong at the server and the
  // client, in that order.
  using Action = std::function<void(Socket&)>;
  std::pair<std::string, std::string> Meet(
      TlsContext& server, TlsContext& client, const std::string& name = kName,
      const Action& serve = [](Socket&) {}, const Action& ask = [](Socket&) {}) {
    SocketPair pair;
    auto served = std::async(std::launch::async, [&] {
      const std::string failure = MessageOf<Error>([&] {
        pair.right.StartTls(server);
        serve(pair.right);
      });
      pair.right.Close();
      return failure;
    });
    const std::string asked = MessageOf<Error>([&] {
      pair.left.StartTls(client, name);
      ask(pair.left);
      char byte;
      pair.left.ReceiveSome(&byte, 1);  // with TLS 1.3, a refusal comes after the handshake
    });
    pair.left.Close();
    return {served.get(), asked};
  }

  CertificateFiles files_;
  CertificateAuthority authority_;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsTest, testing::Values(TlsVersion::k12, TlsVersion::k13),
                         [](const auto& version) {
                           return version.param == TlsVersion::k12 ? "v12" : "v13";
                         });

TEST_P(TlsTest, MovesBytesBothWaysAndEndsProperly) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  std::string question(300'000, 'q');
  for (std::size_t i = 0; i < question.size(); i += 1000) question[i] = static_cast<char>(i);
  std::string asked(question.size(), ' ');
  std::string answer(5, ' ');
  const auto [at_server, at_client] = Meet(
      server, client, kName,
      [&](Socket& socket) {
        EXPECT_THAT(
            socket.tls()->Describe(),
            StartsWith(GetParam() == TlsVersion::k12 ? "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384, "
                                                     : "TLSv1.3, TLS_AES_256_GCM_SHA384, "));
        socket.ReceiveExactly(asked.data(), asked.size());
        socket.SendAll("hello", 5);
        char byte;
        EXPECT_EQ(socket.ReceiveSome(&byte, 1), 0u);
        socket.ShutdownSend();
      },
      [&](Socket& socket) {
        EXPECT_THAT(socket.tls()->Describe(), EndsWith(", certificate P-256"));
        // Small blocks, and one that fills several records.
        iovec blocks[] = {{question.data(), 10},
                          {nullptr, 0},
                          {question.data() + 10, 100},
                          {question.data() + 110, 200'000},
                          {question.data() + 200'110, 99'890}};
        socket.SendAll(blocks);
        socket.ReceiveExactly(answer.data(), answer.size());
        socket.ShutdownSend();
        EXPECT_GT(socket.bytes_sent(), question.size() + 300);  // what is encrypted is counted
      });
  EXPECT_EQ(at_server, "");
  EXPECT_EQ(at_client, "");
  EXPECT_EQ(answer, "hello");
  EXPECT_EQ(asked, question);
}

// Returns whether the kernel keeps something back although all that it has sent has arrived.
bool IsHeldBack(const Socket& socket) {
  for (;;) {
    int unsent = -1;
    int not_arrived = -1;
    EXPECT_EQ(::ioctl(socket.descriptor(), SIOCOUTQNSD, &unsent), 0);
    EXPECT_EQ(::ioctl(socket.descriptor(), SIOCOUTQ, &not_arrived), 0);
    if (unsent == 0 || unsent == not_arrived) return unsent != 0;
  }
}

// The last record of a message is sent in another way than the others, behind which more follows.
TEST_P(TlsTest, MessagesLeaveWhole) {
  const std::vector<std::vector<std::size_t>> messages{
      {16'384}, {32'768}, {10, 16'374}, {16'384, 0}, {20, 0}, {10, 40'000}, {16'384, 16'384}};
  const auto size_of = [](const std::vector<std::size_t>& blocks) {
    return std::accumulate(blocks.begin(), blocks.end(), std::size_t{0});
  };
  std::string bytes(50'000, 'x');
  TlsContext server(TlsContext::Role::kServer, ServerOptions({"127.0.0.1"}));
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  LoopbackServer loopback([&](Socket& socket) {
    socket.StartTls(server);
    std::string received(bytes.size(), ' ');
    for (const auto& message : messages) {
      for (int way = 0; way < 2; ++way) {
        socket.ReceiveExactly(received.data(), size_of(message));
        socket.SendAll("!", 1);
      }
    }
    socket.ShutdownSend();
  });
  Socket socket = loopback.Connect();
  socket.StartTls(client, "127.0.0.1");
  for (const auto& message : messages) {
    for (const Writes writes : {Writes::kJoined, Writes::kCorked}) {
      socket.SetPolicy({.writes = writes});
      std::vector<iovec> blocks;
      for (const std::size_t size : message) blocks.push_back({bytes.data(), size});
      socket.SendMessage(blocks, 5);
      EXPECT_FALSE(IsHeldBack(socket)) << testing::PrintToString(message);
      char answer;
      socket.ReceiveExactly(&answer, 1);
    }
  }
  socket.CloseAfterPeer();
}

TEST_P(TlsTest, SuspendsCoroutines) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions({"127.0.0.1"}));
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  OneThreadContext context;
  Coroutines coroutines(context, {});
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  listener.AcceptFor(coroutines);
  std::string answer(1'000'000, ' ');
  coroutines.Start([&] {
    Socket socket = Socket::Connect(listener.address(), 10'000ms);
    socket.StartTls(client, "127.0.0.1");
    socket.SendAll(answer.data(), answer.size());
    socket.ReceiveExactly(answer.data(), answer.size());
    socket.Close();
  });
  coroutines.Start([&] {
    Socket socket;
    while (!socket.is_open()) socket = listener.Accept(10'000ms);
    socket.StartTls(server);
    std::string whole(answer.size(), ' ');
    socket.ReceiveExactly(whole.data(), whole.size());
    std::fill(whole.begin(), whole.end(), 'x');
    socket.SendAll(whole.data(), whole.size());
    socket.Close();
  });
  coroutines.RunToTheEnd();
  EXPECT_EQ(answer, std::string(answer.size(), 'x'));
}

TEST_P(TlsTest, ResumesSessions) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  const auto greet = [](Socket& socket) {
    socket.SendAll("hello", 5);
    socket.CloseAfterPeer();
  };
  std::string resumed;
  const auto take = [&](Socket& socket) {
    char greeting[5];
    socket.ReceiveExactly(greeting, sizeof greeting);
    resumed += socket.tls()->resumed() ? "yes " : "no ";
    socket.ShutdownSend();
  };
  for (const bool resume : {false, true, true, true, false}) {
    client.Resume(resume);
    const auto [at_server, at_client] = Meet(server, client, kName, greet, take);
    EXPECT_EQ(at_server, "");
    EXPECT_EQ(at_client, "");
  }
  EXPECT_EQ(resumed, "no no yes yes no ");
  EXPECT_EQ(client.resumed(), 2u);
}

TEST_P(TlsTest, ResumesSessionsWhoseConnectionsEndedWithoutANotice) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  client.Resume(true);
  const auto greet = [](Socket& socket) {
    socket.SendAll("hello", 5);
    socket.ShutdownBoth();
  };
  const auto take = [](Socket& socket) {
    char greeting[5];
    socket.ReceiveExactly(greeting, sizeof greeting);
  };
  for (std::uint64_t resumed = 0; resumed < 3; ++resumed) {
    EXPECT_THAT(Meet(server, client, kName, greet, take).second, HasSubstr("stream truncated"));
    EXPECT_EQ(client.resumed(), resumed);
  }
}

// What OpenSSL allocates is not counted: it calls malloc.
TEST_P(TlsTest, AWarmConnectionAllocatesNothing) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  SocketPair pair;
  auto served = std::async(std::launch::async, [&] { pair.right.StartTls(server); });
  pair.left.StartTls(client, kName);
  served.get();
  std::string bytes(50'000, 'x');
  std::string received(bytes.size(), ' ');
  const auto move = [&](Socket& from, Socket& to) {
    iovec blocks[] = {{bytes.data(), 10}, {bytes.data() + 10, bytes.size() - 10}};
    from.SendAll(blocks);
    to.ReceiveExactly(received.data(), received.size());
  };
  const auto exchange = [&] {
    move(pair.left, pair.right);
    move(pair.right, pair.left);
  };
  exchange();
  const std::uint64_t before = AllocationsSoFar();
  for (int i = 0; i < 10; ++i) exchange();
  EXPECT_EQ(AllocationsSoFar() - before, 0u);
  EXPECT_EQ(received, bytes);
}

TEST_P(TlsTest, ClientsVerifyTheServer) {
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  const auto client_says = [&](const TlsOptions& options, const std::string& name = kName) {
    TlsContext server(TlsContext::Role::kServer, options);
    return Meet(server, client, name).second;
  };
  EXPECT_THAT(client_says(ServerOptions(), "other.example"), HasSubstr("hostname mismatch"));
  EXPECT_THAT(client_says(ServerOptions(), "127.0.0.1"), HasSubstr("IP address mismatch"));
  EXPECT_THAT(client_says(ServerOptions({"127.0.0.2"}), "127.0.0.1"),
              HasSubstr("IP address mismatch"));
  EXPECT_THAT(client_says(ServerOptions({kName}, std::chrono::seconds(-10))),
              HasSubstr("certificate has expired"));
  const CertificateAuthority unknown;
  Identity identity = unknown.Issue({kName});
  TlsOptions stranger = files_.Of(identity, "stranger");
  stranger.version = GetParam();
  EXPECT_THAT(client_says(stranger), HasSubstr("verify the certificate (unable to get local"));
  identity.certificate += unknown.certificate();
  files_.Of(identity, "stranger");
  EXPECT_THAT(client_says(stranger), HasSubstr("(self-signed certificate in certificate chain)"));
}

TEST_P(TlsTest, ServersDemandCertificatesIfTheyHaveAnAuthority) {
  TlsOptions demanding = ServerOptions();
  demanding.authority = ClientOptions().authority;
  TlsContext server(TlsContext::Role::kServer, demanding);
  TlsContext nobody(TlsContext::Role::kClient, ClientOptions());
  EXPECT_THAT(Meet(server, nobody).first, HasSubstr("peer did not return a certificate"));
  EXPECT_THAT(Meet(server, nobody).second, HasSubstr("alert"));

  TlsOptions known = files_.Of(authority_.Issue({}), "client");
  known.authority = demanding.authority;
  known.version = GetParam();
  TlsContext somebody(TlsContext::Role::kClient, known);
  const auto finish = [](Socket& socket) { socket.ShutdownSend(); };
  const auto [at_server, at_client] = Meet(server, somebody, kName, finish);
  EXPECT_EQ(at_server, "");
  EXPECT_EQ(at_client, "");
}

TEST_P(TlsTest, ATruncatedStreamIsAnError) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  const auto end_without_notice = [](Socket& socket) { socket.ShutdownBoth(); };
  EXPECT_THAT(Meet(server, client, kName, end_without_notice).second,
              HasSubstr("receive by TLS from ?: stream truncated"));
}

TEST_P(TlsTest, WhatHasArrivedBeforeTheOwnEndIsReceivedAfterIt) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  TlsContext client(TlsContext::Role::kClient, ClientOptions());
  std::promise<void> sent;
  std::string answer(20, ' ');
  const auto [at_server, at_client] = Meet(
      server, client, kName,
      [&](Socket& socket) {
        for (const char* part : {"the first ", "the second"}) socket.SendAll(part, 10);
        sent.set_value();
        socket.CloseAfterPeer();
      },
      [&](Socket& socket) {
        sent.get_future().wait();
        socket.ReceiveExactly(answer.data(), 5);
        socket.ShutdownSend();
        socket.ReceiveExactly(answer.data() + 5, 15);
      });
  EXPECT_EQ(at_server, "");
  EXPECT_EQ(at_client, "");
  EXPECT_EQ(answer, "the first the second");
}

TEST_P(TlsTest, PlainTextIsRefusedAtOnce) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  SocketPair pair;
  const std::string request = "GET / HTTP/1.1\r\n\r\n";
  pair.left.SendAll(request.data(), request.size());
  EXPECT_THAT(MessageOf<Error>([&] { pair.right.StartTls(server); }), HasSubstr("http request"));
}

TEST_P(TlsTest, AHandshakeHasALimit) {
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  SocketPair pair;
  pair.right.SetTimeout(50ms);
  EXPECT_THAT(MessageOf<Error>([&] { pair.right.StartTls(server); }), HasSubstr("timed out"));
}

TEST_P(TlsTest, ABitOfAHandshakeDoesNotProlongIt) {
  constexpr auto kLimit = 800ms;
  TlsContext server(TlsContext::Role::kServer, ServerOptions());
  SocketPair pair;
  pair.right.SetTimeout(kLimit);
  std::chrono::steady_clock::duration time{};
  auto handshake = std::async(std::launch::async, [&] {
    const auto begin = std::chrono::steady_clock::now();
    const std::string failure = MessageOf<Error>([&] { pair.right.StartTls(server); });
    time = std::chrono::steady_clock::now() - begin;
    return failure;
  });
  ASSERT_EQ(handshake.wait_for(kLimit * 3 / 4), std::future_status::timeout);
  pair.left.SendAll("\x16", 1);
  EXPECT_THAT(handshake.get(), HasSubstr("timed out"));
  EXPECT_LT(time, kLimit * 3 / 2);
}

TEST_P(TlsTest, FilesThatCannotBeReadAreNamed) {
  TlsOptions options = ServerOptions();
  options.key = "/nowhere/key.pem";
  const auto make = [&] { TlsContext context(TlsContext::Role::kServer, options); };
  EXPECT_THAT(MessageOf<std::runtime_error>(make), HasSubstr("read the key \"/nowhere/key.pem\""));
  options.key = "";
  EXPECT_EQ(MessageOf<std::runtime_error>(make), "TLS needs the key of its certificate");
}

}  // namespace
}  // namespace rpycbench::net
