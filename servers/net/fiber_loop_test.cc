#include "servers/net/fiber_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "servers/net/fiber_signal.h"
#include "servers/net/socket.h"
#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

using std::chrono_literals::operator""ms;
using Clock = std::chrono::steady_clock;

// Far longer than anything here takes.
constexpr auto kPatience = 10'000ms;

// Runs what was started until all of it has ended.
void RunToTheEnd(FiberLoop& loop, int threads = 1) {
  loop.Stop(kPatience);
  std::atomic<int> complete{0};
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back([&] { complete += loop.Run() ? 1 : 0; });
  }
  for (std::thread& thread : pool) thread.join();
  EXPECT_EQ(complete, threads);
}

// A fiber that sends back what it receives, until the stream ends.
void StartEcho(FiberLoop& loop, Socket& socket) {
  loop.Start([&socket] {
    char bytes[256];
    while (const std::size_t got = socket.ReceiveSome(bytes, sizeof bytes)) {
      socket.SendAll(bytes, got);
    }
    socket.Close();
  });
}

TEST(FiberLoopTest, RunsEachFiberToItsEnd) {
  FiberLoop loop({});
  int ended = 0;
  for (int i = 0; i < 1000; ++i) loop.Start([&] { ++ended; });
  RunToTheEnd(loop);
  EXPECT_EQ(ended, 1000);
}

TEST(FiberLoopTest, StartsFromWithinAFiberAndRunsAgain) {
  FiberLoop loop({.kept_fibers = 1});
  bool inner = false;
  loop.Start([&] { loop.Start([&] { inner = InFiber(); }); });
  loop.RunToTheEnd();
  int ended = 0;
  for (int i = 0; i < 3; ++i) loop.Start([&] { ++ended; });
  loop.RunToTheEnd();
  EXPECT_EQ(ended, 3);
  EXPECT_TRUE(inner);
  EXPECT_FALSE(InFiber());
}

TEST(FiberLoopTest, FibersTalkToEachOtherOverSockets) {
  constexpr int kPairs = 50;
  constexpr int kCalls = 100;
  FiberLoop loop({});
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  listener.AcceptForFibers();
  const Endpoint address = Endpoint::Resolve("127.0.0.1", listener.port());
  std::vector<Socket> served(kPairs);
  int answered = 0;
  loop.Start([&] {
    for (Socket& socket : served) {
      pollfd waiting{listener.descriptor(), POLLIN, 0};
      while (Poll({&waiting, 1}, -1) == 0) {
      }
      socket = listener.Accept(kPatience);
      StartEcho(loop, socket);
    }
  });
  for (int i = 0; i < kPairs; ++i) {
    loop.Start([&, i] {
      Socket socket = Socket::Connect(address, kPatience);
      for (int call = 0; call < kCalls; ++call) {
        const std::string question = std::to_string(i) + ":" + std::to_string(call);
        std::string answer(question.size(), ' ');
        socket.SendAll(question.data(), question.size());
        socket.ReceiveExactly(answer.data(), answer.size());
        if (answer == question) ++answered;
      }
    });
  }
  RunToTheEnd(loop);
  EXPECT_EQ(answered, kPairs * kCalls);
}

// Served by fibers, asked by threads.
class ServedByFibersTest : public testing::TestWithParam<int> {
 protected:
  ServedByFibersTest() : listener_(Endpoint::Resolve("127.0.0.1", 0)) {
    listener_.AcceptForFibers();
  }

  // A connection; the second is the side for fibers.
  std::pair<Socket, Socket> Connected() {
    Socket asking = Socket::Connect(Endpoint::Resolve("127.0.0.1", listener_.port()), kPatience);
    Socket served = listener_.Accept(kPatience);
    while (!served.is_open()) served = listener_.Accept(kPatience);
    return {std::move(asking), std::move(served)};
  }

  Listener listener_;
};

TEST_P(ServedByFibersTest, LargeMessagesSuspendBothWays) {
  FiberLoop loop({.reports_at_once = 1});
  constexpr std::size_t kBytes = 8 << 20;
  constexpr int kConnections = 4;
  std::vector<std::pair<Socket, Socket>> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(Connected());
  for (auto& [asking, served] : connections) {
    loop.Start([&socket = served] {
      std::string whole(kBytes, ' ');
      socket.ReceiveExactly(whole.data(), whole.size());
      socket.SendAll(whole.data(), whole.size());
    });
  }
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (auto& [asking, served] : connections) {
    clients.emplace_back([&right, &socket = asking] {
      std::string sent(kBytes, ' ');
      for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 3);
      std::string received(kBytes, ' ');
      socket.SendAll(sent.data(), sent.size());
      socket.ReceiveExactly(received.data(), received.size());
      if (received == sent) ++right;
    });
  }
  RunToTheEnd(loop, GetParam());
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, kConnections);
}

// A fiber that suspends in a catch block must keep its exception, and leave that of another alone.
TEST_P(ServedByFibersTest, EachFiberHasItsOwnExceptions) {
  FiberLoop loop({.reports_at_once = 1});
  constexpr int kConnections = 8;
  std::vector<std::pair<Socket, Socket>> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(Connected());
  std::atomic<int> kept{0};
  for (int i = 0; i < kConnections; ++i) {
    loop.Start([&, i] {
      Socket& socket = connections[static_cast<std::size_t>(i)].second;
      for (int round = 0; round < 20; ++round) {
        const std::string mine = std::to_string(i) + "/" + std::to_string(round);
        try {
          throw std::runtime_error(mine);
        } catch (const std::exception&) {
          char byte;
          socket.ReceiveExactly(&byte, 1);
          try {
            throw;
          } catch (const std::exception& again) {
            if (again.what() == mine) ++kept;
          }
          socket.SendAll(&byte, 1);
        }
      }
    });
  }
  std::thread client([&] {
    for (int round = 0; round < 20; ++round) {
      // In another order each time, so that blocks end in another order than they began.
      for (int i = 0; i < kConnections; ++i) {
        Socket& socket =
            connections[static_cast<std::size_t>((i * 3 + round) % kConnections)].first;
        char byte = 'x';
        socket.SendAll(&byte, 1);
        socket.ReceiveExactly(&byte, 1);
      }
    }
  });
  RunToTheEnd(loop, GetParam());
  client.join();
  EXPECT_EQ(kept, kConnections * 20);
}

TEST_P(ServedByFibersTest, AWaitEndsWhenItsTimeIsUp) {
  FiberLoop loop({});
  auto [asking, served] = Connected();
  served.SetTimeout(50ms);
  bool timed_out = false;
  Clock::duration took{};
  loop.Start([&, &socket = served] {
    const auto start = Clock::now();
    try {
      char byte;
      socket.ReceiveExactly(&byte, 1);
    } catch (const Error& error) {
      timed_out = error.timed_out();
    }
    took = Clock::now() - start;
  });
  RunToTheEnd(loop, GetParam());
  EXPECT_TRUE(timed_out);
  EXPECT_GE(took, 50ms);
  EXPECT_LT(took, kPatience);
}

TEST_P(ServedByFibersTest, SleepersLetOthersGoOn) {
  FiberLoop loop({});
  std::atomic<bool> done{false};
  bool seen = false;
  const auto start = Clock::now();
  loop.Start([&] {
    for (const auto end = start + kPatience; !seen && Clock::now() < end; seen = done) {
      SleepFor(std::chrono::duration<double>(0.001));
    }
  });
  loop.Start([&] {
    SleepFor(std::chrono::duration<double>(0.03));
    done = true;
  });
  RunToTheEnd(loop, GetParam());
  EXPECT_GE(Clock::now() - start, 30ms);
  EXPECT_TRUE(seen);
}

TEST(FiberLoopTest, SleepersHoldTheirThreadWhereTheyShould) {
  for (const bool hold : {true, false}) {
    FiberLoop loop({.sleepers_hold_their_thread = hold});
    std::string order;
    loop.Start([&] {
      SleepFor(std::chrono::duration<double>(0.1));
      order += "sleeper ";
    });
    loop.Start([&] { order += "other "; });
    loop.RunToTheEnd();
    EXPECT_EQ(order, hold ? "sleeper other " : "other sleeper ");
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ServedByFibersTest, testing::Values(1, 4));

TEST_F(ServedByFibersTest, AFiberThatAlwaysHasSomethingToDoLetsOthersGoOn) {
  FiberLoop loop({});
  auto [flooding, flooded] = Connected();
  auto [asking, served] = Connected();
  const std::string flood(1000, 'x');
  flooding.SendAll(flood.data(), flood.size());
  asking.SendAll("?", 1);
  int received_before_other = -1;
  int received = 0;
  loop.Start([&, &socket = flooded] {
    char byte;
    for (std::size_t i = 0; i < flood.size(); ++i) {
      socket.ReceiveExactly(&byte, 1);
      ++received;
    }
  });
  loop.Start([&, &socket = served] {
    char byte;
    socket.ReceiveExactly(&byte, 1);
    received_before_other = received;
  });
  RunToTheEnd(loop);
  EXPECT_EQ(received, 1000);
  EXPECT_LT(received_before_other, 100);
}

TEST_F(ServedByFibersTest, StopGivesUpWaitingForThoseThatDoNotEnd) {
  FiberLoop loop({});
  auto [asking, served] = Connected();
  StartEcho(loop, served);
  loop.Stop(30ms);
  EXPECT_FALSE(loop.Run());
  asking.Close();
  RunToTheEnd(loop);  // now it ends
}

TEST_F(ServedByFibersTest, AFiberCanUseWhatAnotherUsedBefore) {
  FiberLoop loop({});
  auto [asking, served] = Connected();
  std::string received;
  const auto receive = [&, &socket = served] {
    char byte;
    socket.ReceiveExactly(&byte, 1);
    received += byte;
  };
  for (const char* text : {"a", "b"}) {
    loop.Start(receive);
    std::thread client([&, &socket = asking] { socket.SendAll(text, 1); });
    RunToTheEnd(loop);
    client.join();
  }
  EXPECT_EQ(received, "ab");
}

// A peer that answers and closes at once: its last bytes and the end of its stream are one report.
TEST(FiberLoopTest, AnEndReportedWithTheLastBytesIsNotWaitedFor) {
  FiberLoop loop({});
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  std::size_t got = 1;
  loop.Start([&] {
    Socket socket = Socket::Connect(Endpoint::Resolve("127.0.0.1", listener.port()), kPatience);
    Socket peer = listener.Accept(kPatience);
    char bytes[64];
    peer.SendAll("a", 1);
    EXPECT_EQ(socket.ReceiveSome(bytes, sizeof bytes), 1u);
    peer.SendAll("b", 1);
    peer.ShutdownSend();
    Yield();
    EXPECT_EQ(socket.ReceiveSome(bytes, sizeof bytes), 1u);
    socket.SendAll("c", 1);
    got = socket.ReceiveSome(bytes, sizeof bytes);
  });
  const auto start = Clock::now();
  loop.RunToTheEnd();
  EXPECT_EQ(got, 0u);
  EXPECT_LT(Clock::now() - start, kPatience);
}

// Between the send and the receive the fiber waits for something else, and is told of the answer.
TEST(FiberLoopTest, AnAnswerReportedDuringAnotherWaitIsNotWaitedFor) {
  FiberLoop loop({});
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  loop.Start([&] {
    Socket socket = Socket::Connect(Endpoint::Resolve("127.0.0.1", listener.port()), kPatience);
    Socket peer = listener.Accept(kPatience);
    char bytes[64];
    for (int i = 0; i < 50; ++i) {
      peer.SendAll("a", 1);
      EXPECT_EQ(socket.ReceiveSome(bytes, sizeof bytes), 1u);
      socket.SendAll("b", 1);
      peer.SendAll("c", 1);
      // Runs through every way to be told: as it waits, as it is queued, and not at all.
      if (i % 3 == 0) SleepFor(1ms);
      if (i % 3 == 1) Yield();
      EXPECT_EQ(socket.ReceiveSome(bytes, sizeof bytes), 1u);
    }
  });
  const auto start = Clock::now();
  loop.RunToTheEnd();
  EXPECT_LT(Clock::now() - start, kPatience);
}

TEST_F(ServedByFibersTest, RefusedConnectIsTold) {
  FiberLoop loop({});
  const Endpoint address = Endpoint::Resolve("127.0.0.1", listener_.port());
  listener_.Close();
  std::error_code code;
  loop.Start([&] {
    try {
      Socket::Connect(address, kPatience);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  RunToTheEnd(loop);
  EXPECT_EQ(code, std::errc::connection_refused);
}

// A short time limit, once, must not have the loop look for others ten times as often for ever.
TEST_F(ServedByFibersTest, NobodyIsWokenForAWaitThatIsOver) {
  auto [asking, served] = Connected();
  FiberLoop loop({});
  long switches = -1;
  loop.Start([&, &socket = served] {
    const auto so_far = [] {
      rusage usage{};
      getrusage(RUSAGE_THREAD, &usage);
      return usage.ru_nvcsw;
    };
    char byte;
    socket.SetTimeout(20ms);
    EXPECT_THROW(socket.ReceiveSome(&byte, 1), Error);
    SleepFor(50ms);  // until the loop has looked once more
    const long before = so_far();
    SleepFor(600ms);
    switches = so_far() - before;
    socket.Close();
  });
  RunToTheEnd(loop);
  EXPECT_GE(switches, 1);
  EXPECT_LT(switches, 20);  // a look each 10 ms would take 60
}

TEST(PollTest, ADescriptorThatIsAlwaysReadyNeedsNoEpoll) {
  FiberLoop loop({});
  int ready = 0;
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  loop.Start([&] {
    pollfd one{file, POLLIN, 0};
    ready = Poll({&one, 1}, -1);
  });
  RunToTheEnd(loop);
  ::close(file);
  EXPECT_EQ(ready, 1);
}

TEST(FiberSignalTest, AFiberWaitsForAnother) {
  FiberLoop loop({});
  FiberSignal signal;
  std::string order;
  loop.Start([&] {
    signal.Wait();
    order += "b";
    signal.Wait();
    order += "d";
  });
  loop.Start([&] {
    Yield();
    order += "a";
    signal.Set();
    Yield();
    order += "c";
    signal.Set();
  });
  loop.RunToTheEnd();
  EXPECT_EQ(order, "abcd");
}

TEST(FiberSignalTest, ASignalThatComesFirstIsNotLost) {
  FiberLoop loop({});
  FiberSignal signal;
  bool went_on = false;
  loop.Start([&] {
    signal.Set();
    signal.Wait();
    went_on = true;
  });
  loop.RunToTheEnd();
  EXPECT_TRUE(went_on);
}

// What a generator of load relies on: reports are taken while a fiber keeps the thread awake.
TEST(FiberLoopTest, AFiberThatYieldsKeepsTheThreadAwakeAndOthersServed) {
  FiberLoop loop({});
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0);
  bool received = false;
  int rounds = 0;
  loop.Start([&] {
    char byte;
    while (::read(pipe[0], &byte, 1) != 1) AwaitDescriptor(pipe[0], POLLIN, 0ms);
    ForgetDescriptor(pipe[0]);
    received = true;
  });
  loop.Start([&] {
    for (const auto end = Clock::now() + kPatience; !received && Clock::now() < end; Yield()) {
      if (++rounds == 1'000) {
        EXPECT_EQ(::write(pipe[1], "x", 1), 1);
      }
    }
  });
  loop.RunToTheEnd();
  EXPECT_TRUE(received);
  EXPECT_GE(rounds, 1'000);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace rpycbench::net
