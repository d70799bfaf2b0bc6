// Tests which time the rate of several clients is about, with clients whose times are made up.
#include "bench/load/client_load.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/load/client_slots.h"

namespace rpycbench {
namespace {

using std::chrono::microseconds;

ClientResult FromTo(int begin_us, int end_us) {
  ClientResult result;
  result.begin += microseconds(begin_us);
  result.end += microseconds(end_us);
  return result;
}

TEST(ClientLoadTest, TheTimeIsFromTheFirstRequestToTheLastReply) {
  EXPECT_EQ(FromFirstToLast({FromTo(5, 9)}), microseconds(4));
  EXPECT_EQ(FromFirstToLast({FromTo(5, 9), FromTo(3, 7)}), microseconds(6));
  EXPECT_EQ(FromFirstToLast({FromTo(3, 9), FromTo(5, 7)}), microseconds(6));
}

TEST(ClientLoadTest, TheTimesOfIterationsAreAddedUp) {
  ClientTotals totals;
  totals.AddAll({FromTo(5, 9), FromTo(3, 7)});
  totals.AddAll({FromTo(100, 101), FromTo(103, 104)});
  EXPECT_EQ(totals.spent, microseconds(10));
}

struct NoSource {
  template <class Call>
  NoSource(const net::Endpoint&, const Options&, const ServerMode&, std::size_t, const Call&) {}
  WireTotals Wire() const { return {}; }
};

// Clients that claim to take 10 us for each request, one after the other in turns. How long they
// really take is of no consequence, like the wake-ups of the thread that waits for them.
template <class Source, class Call>
class MadeUpClients {
 public:
  MadeUpClients(std::size_t clients, std::int64_t requests, Source&, const Call&, const cpu_set_t&)
      : requests_(requests), results_(clients) {}

  void Connect() {}
  void SetRequests(std::int64_t requests) { requests_ = requests; }
  void MakeRequests() {
    auto turn = Samples::Clock::now();
    for (ClientResult& result : results_) {
      result.begin = turn;
      turn += requests_ * microseconds(10);
      result.end = turn;
    }
  }
  std::vector<ClientResult>& results() { return results_; }
  void CloseAll() {}

 private:
  std::int64_t requests_;
  std::vector<ClientResult> results_;
};

TEST(ClientLoadTest, ASlotLastsAsLongAsItsClientsSay) {
  const Options options;
  const auto call = [] {};
  ClientSlots<MadeUpClients, NoSource, decltype(call)> slots({}, options, kBareLoop, 3, call, {});
  Samples times;
  const SlotResult slot =
      slots.Run({.time = std::chrono::milliseconds(8), .calls = 1, .most = {}}, times);
  EXPECT_DOUBLE_EQ(slot.cost_us, 10);
  EXPECT_GE(slot.spent, std::chrono::milliseconds(6));
  EXPECT_EQ(slot.spent.count() % std::chrono::nanoseconds(microseconds(30)).count(), 0);
}

}  // namespace
}  // namespace rpycbench
