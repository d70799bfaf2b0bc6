// Tests coroutines and their sockets over real connections, on one thread and on several.
#include "servers/net/coroutine.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "servers/net/listener.h"
#include "servers/net/socket.h"
#include "servers/net/wait.h"

namespace rpycbench::net {
namespace {

using std::chrono_literals::operator""ms;
using Clock = std::chrono::steady_clock;

// Far longer than anything here takes.
constexpr auto kPatience = 10'000ms;

// Returns a connection. Its second side is for coroutines of the group.
std::pair<Socket, Socket> ConnectionTo(Coroutines& group) {
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  listener.AcceptFor(group);
  Socket asking = Socket::Connect(listener.address(), kPatience);
  Socket served = listener.Accept(kPatience);
  while (!served.is_open()) served = listener.Accept(kPatience);
  return {std::move(asking), std::move(served)};
}

// Coroutines on as many threads as the parameter says, and a listener for their sockets.
class CoroutinesTest : public testing::TestWithParam<int> {
 protected:
  CoroutinesTest() : listener_(Endpoint::Resolve("127.0.0.1", 0)) {
    listener_.AcceptFor(coroutines_);
  }

  // Runs what was started until all of it has ended.
  void RunToTheEnd() {
    const auto work = asio::make_work_guard(context_);
    context_.restart();
    coroutines_.StopAtTheEnd();
    std::vector<std::thread> threads;
    for (int i = 0; i < GetParam(); ++i) {
      threads.emplace_back([this] { context_.run_for(kPatience); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(context_.stopped()) << "coroutines did not end";
  }

  // Starts a coroutine that sends back what it receives until the stream ends.
  void StartEcho(Socket& socket) {
    coroutines_.Start([&socket] {
      char bytes[256];
      while (const std::size_t got = socket.ReceiveSome(bytes, sizeof bytes)) {
        socket.SendAll(bytes, got);
      }
      socket.Close();
    });
  }

  asio::io_context context_{GetParam()};
  Coroutines coroutines_{context_, {}};
  Listener listener_;
};

INSTANTIATE_TEST_SUITE_P(Threads, CoroutinesTest, testing::Values(1, 4));

TEST_P(CoroutinesTest, RunsEachToItsEnd) {
  std::atomic<int> ended{0};
  for (int i = 0; i < 1000; ++i) coroutines_.Start([&] { ++ended; });
  RunToTheEnd();
  EXPECT_EQ(ended, 1000);
}

TEST_P(CoroutinesTest, StartsFromWithinACoroutineAndRunsAgain) {
  bool inside = false;
  bool held_up = false;
  coroutines_.Start([&] {
    static thread_local bool starting;
    starting = true;
    coroutines_.Start([&] {
      inside = Coroutine::Current() != nullptr;
      held_up = starting;  // of this thread
    });
    starting = false;
  });
  RunToTheEnd();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(held_up) << "a start holds up the coroutine that starts another one";
  EXPECT_EQ(Coroutine::Current(), nullptr);
  std::atomic<int> ended{0};
  for (int i = 0; i < 3; ++i) coroutines_.Start([&] { ++ended; });
  RunToTheEnd();
  EXPECT_EQ(ended, 3);
}

TEST_P(CoroutinesTest, TalkToEachOtherOverSockets) {
  constexpr int kPairs = 50;
  constexpr int kCalls = 100;
  std::vector<Socket> served(kPairs);
  std::atomic<int> answered{0};
  for (int i = 0; i < kPairs; ++i) {
    coroutines_.Start([&, i] {
      Socket socket = Socket::Connect(listener_.address(), kPatience);
      for (int call = 0; call < kCalls; ++call) {
        const std::string question = std::to_string(i) + ":" + std::to_string(call);
        std::string answer(question.size(), ' ');
        socket.SendAll(question.data(), question.size());
        socket.ReceiveExactly(answer.data(), answer.size());
        if (answer == question) ++answered;
      }
    });
  }
  std::thread accepting([&] {
    for (Socket& socket : served) {
      while (!socket.is_open()) socket = listener_.Accept(kPatience);
      StartEcho(socket);
    }
  });
  RunToTheEnd();
  accepting.join();
  EXPECT_EQ(answered, kPairs * kCalls);
}

TEST_P(CoroutinesTest, LargeMessagesSuspendBothWays) {
  constexpr std::size_t kBytes = 8 << 20;
  constexpr int kConnections = 4;
  std::vector<std::pair<Socket, Socket>> connections;
  for (int i = 0; i < kConnections; ++i) connections.push_back(ConnectionTo(coroutines_));
  for (auto& [asking, served] : connections) {
    coroutines_.Start([&socket = served] {
      std::string whole(kBytes, ' ');
      // Into several blocks and from several blocks, as messages with parts are moved.
      iovec halves[] = {{whole.data(), kBytes / 2}, {whole.data() + kBytes / 2, kBytes / 2}};
      const std::size_t first = socket.ReceiveSome(halves);
      socket.ReceiveExactly(whole.data() + first, whole.size() - first);
      socket.SendAll(halves);
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
  RunToTheEnd();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, kConnections);
}

TEST_P(CoroutinesTest, AWaitEndsWhenItsTimeIsUp) {
  auto [asking, served] = ConnectionTo(coroutines_);
  served.SetTimeout(50ms);
  bool timed_out = false;
  Clock::duration took{};
  coroutines_.Start([&, &socket = served] {
    const auto start = Clock::now();
    try {
      char byte;
      socket.ReceiveExactly(&byte, 1);
    } catch (const Error& error) {
      timed_out = error.timed_out();
    }
    took = Clock::now() - start;
  });
  RunToTheEnd();
  EXPECT_TRUE(timed_out);
  EXPECT_GE(took, 50ms);
  EXPECT_LT(took, kPatience);
}

// Time limits are noticed while other waits of the group begin and end, and each belongs to its own
// wait.
TEST_P(CoroutinesTest, EachWaitHasItsOwnTime) {
  auto [asking, served] = ConnectionTo(coroutines_);
  auto [silent, unserved] = ConnectionTo(coroutines_);
  StartEcho(served);
  unserved.SetTimeout(30ms);
  int expired = 0;
  coroutines_.Start([&, &socket = unserved] {
    for (int i = 0; i < 3; ++i) {
      const auto start = Clock::now();
      char byte;
      EXPECT_THROW(socket.ReceiveSome(&byte, 1), Error);
      if (Clock::now() - start >= 30ms) ++expired;
    }
    socket.Close();
  });
  std::thread client([&, &socket = asking] {
    char byte = 'x';
    for (const auto end = Clock::now() + 100ms; Clock::now() < end;) {
      socket.SendAll(&byte, 1);
      socket.ReceiveExactly(&byte, 1);
    }
    socket.Close();
  });
  RunToTheEnd();
  client.join();
  EXPECT_EQ(expired, 3);
}

TEST_P(CoroutinesTest, SleepersLetOthersContinue) {
  std::atomic<bool> done{false};
  bool seen = false;
  const auto start = Clock::now();
  coroutines_.Start([&] {
    for (const auto end = start + kPatience; !seen && Clock::now() < end; seen = done) {
      SleepFor(std::chrono::duration<double>(0.001));
    }
  });
  coroutines_.Start([&] {
    SleepFor(std::chrono::duration<double>(0.03));
    done = true;
  });
  RunToTheEnd();
  EXPECT_GE(Clock::now() - start, 30ms);
  EXPECT_TRUE(seen);
}

TEST_P(CoroutinesTest, OneCanUseWhatAnotherUsedBefore) {
  auto [asking, served] = ConnectionTo(coroutines_);
  std::string received;
  const auto receive = [&, &socket = served] {
    char byte;
    socket.ReceiveExactly(&byte, 1);
    received += byte;
  };
  for (const char* text : {"a", "b"}) {
    coroutines_.Start(receive);
    std::thread client([&, &socket = asking] { socket.SendAll(text, 1); });
    RunToTheEnd();
    client.join();
  }
  EXPECT_EQ(received, "ab");
}

TEST(CoroutineSocketTest, IsClosedWithItsGroup) {
  OneThreadContext context;
  std::optional<Coroutines> group(std::in_place, context, Coroutines::Options{});
  auto [asking, served] = ConnectionTo(*group);
  group.reset();
  EXPECT_FALSE(served.is_open());
  char byte;
  EXPECT_EQ(asking.ReceiveSome(&byte, 1), 0u);
}

TEST_P(CoroutinesTest, ReportsARefusedConnect) {
  const Endpoint address = listener_.address();
  listener_.Close();
  std::error_code code;
  coroutines_.Start([&] {
    try {
      Socket::Connect(address, kPatience);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  RunToTheEnd();
  EXPECT_EQ(code, std::errc::connection_refused);
}

TEST_P(CoroutinesTest, ASocketThatIsShutDownWakesItsCoroutine) {
  auto [asking, served] = ConnectionTo(coroutines_);
  std::size_t got = 1;
  coroutines_.Start([&, &socket = served] {
    char byte;
    socket.ReceiveExactly(&byte, 1);
    socket.SendAll(&byte, 1);
    got = socket.ReceiveSome(&byte, 1);
  });
  std::thread stopping([&in = asking, &out = served] {
    char byte = '?';
    in.SendAll(&byte, 1);
    in.ReceiveExactly(&byte, 1);
    out.ShutdownBoth();
  });
  RunToTheEnd();
  stopping.join();
  EXPECT_EQ(got, 0u);
}

// One thread's coroutines, which clients are.
class OneThreadTest : public testing::Test {
 protected:
  OneThreadContext context_;
  Coroutines coroutines_{context_, {}};
};

TEST_F(OneThreadTest, GivesUpWaitingForThoseThatDoNotEnd) {
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  Socket asking;
  coroutines_.Start([&] {
    asking = Socket::Connect(listener.address(), kPatience);
    char byte;
    EXPECT_EQ(asking.ReceiveSome(&byte, 1), 0u);
    asking.Close();
  });
  EXPECT_FALSE(coroutines_.RunToTheEnd(30ms));
  listener.Accept(kPatience).Close();
  EXPECT_TRUE(coroutines_.RunToTheEnd(kPatience));
}

// A short time limit, once, must not have the group look for others that often for ever.
TEST_F(OneThreadTest, NobodyIsWokenForAWaitThatIsOver) {
  auto [asking, served] = ConnectionTo(coroutines_);
  long switches = -1;
  coroutines_.Start([&, &socket = served] {
    const auto so_far = [] {
      rusage usage{};
      getrusage(RUSAGE_THREAD, &usage);
      return usage.ru_nvcsw;
    };
    char byte;
    socket.SetTimeout(20ms);
    EXPECT_THROW(socket.ReceiveSome(&byte, 1), Error);
    SleepFor(50ms);  // until the group has looked once more
    const long before = so_far();
    SleepFor(600ms);
    switches = so_far() - before;
    socket.Close();
  });
  coroutines_.RunToTheEnd();
  EXPECT_GE(switches, 1);
  EXPECT_LT(switches, 20);  // a look each 10 ms would take 60
}

TEST_F(OneThreadTest, OneThatAlwaysHasSomethingToDoLetsOthersContinue) {
  auto [flooding, flooded] = ConnectionTo(coroutines_);
  auto [asking, served] = ConnectionTo(coroutines_);
  const std::string flood(1000, 'x');
  flooding.SendAll(flood.data(), flood.size());
  asking.SendAll("?", 1);
  int received_before_other = -1;
  int received = 0;
  coroutines_.Start([&, &socket = flooded] {
    char byte;
    for (std::size_t i = 0; i < flood.size(); ++i) {
      socket.ReceiveExactly(&byte, 1);
      ++received;
    }
  });
  coroutines_.Start([&, &socket = served] {
    char byte;
    socket.ReceiveExactly(&byte, 1);
    received_before_other = received;
  });
  coroutines_.RunToTheEnd();
  EXPECT_EQ(received, 1000);
  EXPECT_LT(received_before_other, 100);
}

// The thread's next coroutine would find the exception of this one.
TEST_F(OneThreadTest, NobodyWaitsWhileHandlingAnException) {
  struct WaitsAtItsEnd {
    ~WaitsAtItsEnd() { Yield(); }
  };
  const auto in_a_catch_block = [] {
    try {
      throw std::runtime_error("mine");
    } catch (const std::exception&) {
      Yield();
    }
  };
  const auto in_a_destructor = [] {
    try {
      const WaitsAtItsEnd waits;
      throw std::runtime_error("mine");
    } catch (const std::exception&) {
    }
  };
  for (void (*const body)() : {+in_a_catch_block, +in_a_destructor}) {
    const auto run = [&] {
      coroutines_.Start(body);
      coroutines_.RunToTheEnd();
    };
    EXPECT_DEATH(run(), "a coroutine waits while it handles an exception");
  }
}

TEST_F(OneThreadTest, SleepersHoldTheirThreadWhereTheyShould) {
  for (const bool hold : {true, false}) {
    Coroutines coroutines(context_, {.sleepers_hold_their_thread = hold});
    std::string order;
    coroutines.Start([&] {
      SleepFor(std::chrono::duration<double>(0.1));
      order += "sleeper ";
    });
    coroutines.Start([&] { order += "other "; });
    coroutines.RunToTheEnd();
    EXPECT_EQ(order, hold ? "sleeper other " : "other sleeper ");
  }
}

TEST_F(OneThreadTest, OthersContinueBeforeAnAnswerIsExpected) {
  for (const bool others_first : {true, false}) {
    Coroutines coroutines(context_, {.others_before_answers = others_first});
    Listener listener(Endpoint::Resolve("127.0.0.1", 0));
    Socket peer;
    std::string order;
    coroutines.Start([&] {
      Socket socket = Socket::Connect(listener.address(), kPatience);
      peer = listener.Accept(kPatience);
      peer.SendAll("answer", 6);
      coroutines.Start([&] { order += "other "; });
      char bytes[6];
      socket.SendAll("question", 8);
      socket.ReceiveExactly(bytes, sizeof bytes);
      order += "answer ";
    });
    coroutines.RunToTheEnd();
    EXPECT_EQ(order, "other answer ");
  }
}

TEST_F(OneThreadTest, ACoroutineWaitsForTheSignalOfAnother) {
  CoroutineSignal signal(coroutines_);
  std::string order;
  coroutines_.Start([&] {
    signal.Wait();
    order += "b";
    signal.Wait();
    order += "d";
  });
  coroutines_.Start([&] {
    Yield();
    order += "a";
    signal.Set();
    Yield();
    Yield();
    order += "c";
    signal.Set();
  });
  coroutines_.RunToTheEnd();
  EXPECT_EQ(order, "abcd");
}

TEST_F(OneThreadTest, ASignalThatComesFirstIsNotLost) {
  CoroutineSignal signal(coroutines_);
  bool continued = false;
  coroutines_.Start([&] {
    signal.Set();
    signal.Wait();
    continued = true;
  });
  coroutines_.RunToTheEnd();
  EXPECT_TRUE(continued);
}

// A generator of load relies on this: ready sockets are noticed while a coroutine keeps the thread
// awake.
TEST_F(OneThreadTest, OneThatYieldsKeepsTheThreadAwakeAndOthersServed) {
  Listener listener(Endpoint::Resolve("127.0.0.1", 0));
  Socket peer;
  bool received = false;
  int rounds = 0;
  coroutines_.Start([&] {
    Socket socket = Socket::Connect(listener.address(), kPatience);
    peer = listener.Accept(kPatience);
    char byte;
    socket.ReceiveExactly(&byte, 1);
    received = true;
  });
  coroutines_.Start([&] {
    for (const auto end = Clock::now() + kPatience; !received && Clock::now() < end; Yield()) {
      if (++rounds == 1'000) peer.SendAll("x", 1);
    }
  });
  coroutines_.RunToTheEnd();
  EXPECT_TRUE(received);
  EXPECT_GE(rounds, 1'000);
}

}  // namespace
}  // namespace rpycbench::net
