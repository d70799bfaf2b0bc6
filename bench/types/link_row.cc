#include "bench/types/link_row.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "bench/report/results/floor_names.h"
#include "bench/types/call_row.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

// Four medians make up the exchanges. The interval of the whole misses in 1 % of cases if each of
// theirs does in a quarter of that, which takes ten calls.
constexpr double kMiss = 0.01 / 4;
constexpr std::size_t kCalls = 10;

// Calls follow each other without a pause, because a pause as long as the RTT hides what Nagle's
// algorithm holds back. After a pause the kernel also acknowledges the first 16 segments at once.
// So a slot warms up for some RTTs, and lasts eight times as long.
constexpr int kWarmupRtts = 8;

// Below this RTT, what the machine adds to a call hides how often it waits for the link.
constexpr std::chrono::microseconds kLeastRtt{100};

SlotLength DelayedSlot(Rtt rtt) {
  return {.time = std::max<Rtt>(8 * kWarmupRtts * rtt, std::chrono::milliseconds(100)),
          .calls = kCalls,
          .most = std::chrono::seconds(60)};
}
constexpr SlotLength kLocalSlot{
    .time = std::chrono::milliseconds(100), .calls = 3 * kCalls, .most = std::chrono::seconds(2)};
// A bound call waits for nothing but its answer.
constexpr SlotLength kBoundSlot{
    .time = std::chrono::milliseconds(3), .calls = kCalls, .most = std::chrono::seconds(60)};
constexpr SlotLength kShortestSlot{.time = {}, .calls = 1, .most = {}};

// Returns what the rows of a call's slots share: nobody but the row itself knows them.
Suite Hidden(const Suite& suite) {
  Suite hidden = suite;
  hidden.index = nullptr;
  hidden.ledger = nullptr;
  hidden.distributions = nullptr;
  return hidden;
}

// Makes the call over plain TCP that waits for the link once.
std::unique_ptr<ServerFixture> MakeBound(const Suite& suite, Rtt rtt) {
  static constexpr ServerMode kFloor = *FindMode(kFloorMode);
  const auto call = [](TcpClient& client) { return client.Ping(); };
  const auto check = [](std::string_view reply) { return reply == "pong"; };
  return std::make_unique<CallRow<TcpClient, decltype(call), decltype(check)>>(
      suite, "the call over TCP", kFloor, CallRowSettings{.rtt = rtt}, call, check);
}

// Returns the median in us, and its interval.
MedianInterval MedianUs(const Samples& times) {
  std::vector<double> us;
  for (const std::int64_t ns : times.nanoseconds()) us.push_back(static_cast<double>(ns) / 1e3);
  return MedianWithInterval(std::move(us), kMiss);
}

// Makes calls of a row in one slot, on a connection of their own. Returns the time of a call. If
// one fails, gives up its server; `what` is the calls' name in the message.
MedianInterval CallUs(ServerFixture& row, const std::string& what, const SlotLength& length) {
  try {
    Samples times;
    const std::unique_ptr<SlotRunner> slots = row.ConnectForSlots();
    const OnClientHost here(row.link());
    slots->Run(length, times);
    slots->Close();
    return MedianUs(times);
  } catch (const std::exception& error) {
    throw std::runtime_error(row.GiveUpServer(what + ": " + error.what()));
  }
}

// Returns a - b. The interval is as wide as both ends allow.
MedianInterval Difference(const MedianInterval& a, const MedianInterval& b) {
  MedianInterval result{.median = a.median - b.median, .range = {}};
  if (a.range && b.range) {
    result.range = {a.range->low - b.range->high, a.range->high - b.range->low};
  }
  return result;
}

// Returns a / b, for a and b above 0.
MedianInterval Quotient(const MedianInterval& a, const MedianInterval& b) {
  MedianInterval result{.median = a.median / b.median, .range = {}};
  if (a.range && b.range && b.range->low > 0) {
    result.range = {a.range->low / b.range->high, a.range->high / b.range->low};
  }
  return result;
}

}  // namespace

LinkRow::LinkRow(const Suite& suite, const ServerMode& mode, const LinkedCall& call, Rtt rtt)
    : ServerFixture(
          suite,
          call.name + "/rtt_us:" +
              std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(rtt).count()),
          mode, Placement::kShared, {}, Timing::kManual),
      python_client_(call.python_client),
      connects_(call.connects),
      has_exchanges_(rtt >= kLeastRtt) {
  const Suite hidden = Hidden(suite);
  SetRtt(rtt);
  row_ = call.make(hidden, call.name, rtt);
  if (!has_exchanges_) return;
  local_ = call.make(hidden, call.name, Rtt(0));
  bound_ = MakeBound(hidden, rtt);
  local_bound_ = MakeBound(hidden, Rtt(0));
}

LinkRow::Course LinkRow::MeasureCourse() {
  const auto length = [this](const SlotLength& usual) {
    return options().shortest_rows ? kShortestSlot : usual;
  };
  Course course;
  course.times.KeepStartsLike(Samples(options().keeps_starts()));
  const std::unique_ptr<SlotRunner> slots = row_->ConnectForSlots();
  if (python_client_) meter().ClientIs(ClientProcess()->pid());
  {
    const OnClientHost here(link());
    const WireTotals before = slots->Wire();
    meter().Start();
    course.operations =
        slots->Run(length(DelayedSlot(link()->settings().rtt)), course.times).operations;
    meter().Stop();
    course.wire = slots->Wire() - before;
    if (connects_) course.wire.connections = 0;  // the row is about each of them
    slots->Close();
  }
  meter().TakeSamples(course.times, Tail::kP50);
  course.meter.emplace(meter());
  if (!has_exchanges_) return course;
  const MedianInterval local = CallUs(*local_, "without delay", length(kLocalSlot));
  const MedianInterval one =
      Difference(CallUs(*bound_, "ping by TCP", length(kBoundSlot)),
                 CallUs(*local_bound_, "ping by TCP without delay", length(kLocalSlot)));
  course.local_us = local.median;
  course.exchanges = Quotient(Difference(MedianUs(course.times), local), one);
  const double rtt_us = std::chrono::duration<double, std::micro>(link()->settings().rtt).count();
  course.meter->evidence().link_share = std::abs(one.median / rtt_us - 1);
  return course;
}

void LinkRow::Measure(benchmark::State& state) {
  Course& course = once_.Get(state, [&] { return MeasureCourse(); });
  UseMeter(*course.meter);
  ReportEach(state, course.times.MeanUs() * 1e-6);
  ReportCalls(state, course.times, course.wire, course.operations);
  if (!has_exchanges_) return;
  state.counters[counter::kLocal] = *course.local_us;
  state.counters[counter::kExchanges] = course.exchanges->median;
  if (const auto& range = course.exchanges->range) {
    state.counters[counter::kExchangesLow] = range->low;
    state.counters[counter::kExchangesHigh] = range->high;
  }
}

void RegisterLinkRows(const Suite& suite, const ServerMode& mode, const LinkedCall& call,
                      const std::vector<Rtt>& rtts) {
  for (const Rtt rtt : rtts) {
    RegisterRow(suite, std::make_unique<LinkRow>(suite, mode, call, rtt));
  }
}

}  // namespace rpycbench
