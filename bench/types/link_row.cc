#include "bench/types/link_row.h"

#include <array>

#include "bench/types/call_row.h"
#include "fixtures/clients/clients.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

// An interval of 99 % takes eight rounds.
constexpr std::size_t kRounds = 8;
// Short calls get more, for so long.
constexpr std::chrono::milliseconds kTime{500};
constexpr std::chrono::seconds kTimeOfFull{1};

// Calls follow each other without a pause, because a pause as long as the RTT hides what Nagle's
// algorithm holds back. The first call of a slot follows one, so it does not count.
constexpr SlotLength kDelayedSlot{.time = std::chrono::milliseconds(3),
                                  .calls = 2,
                                  .most = std::chrono::seconds(30)};
constexpr SlotLength kLocalSlot{.time = std::chrono::milliseconds(3),
                                .calls = 8,
                                .most = std::chrono::milliseconds(100)};

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
  static constexpr ServerMode kFloor = *FindMode("tcp_threaded");
  const auto call = [](TcpClient& client) { return client.Ping(); };
  const auto check = [](std::string_view reply) { return reply == "pong"; };
  return std::make_unique<CallRow<TcpClient, decltype(call), decltype(check)>>(
      suite, "the call over TCP", kFloor, CallRowSettings{.rtt = rtt}, call, check);
}

// A row that is connected, and where its thread is while it makes calls.
class Connected {
 public:
  explicit Connected(ServerFixture& row) : row_(row), slots_(row.ConnectForSlots()) {}

  SlotResult Slot(const SlotLength& length, Samples& times) {
    const OnClientHost here(row_.link());
    return slots_->Run(length, times);
  }
  // Returns the median time of a call in a slot.
  double Us(const SlotLength& length) {
    times_.Reset(0);
    return Slot(length, times_).cost_us;
  }
  WireTotals Wire() const { return slots_->Wire(); }
  void Close() {
    const OnClientHost here(row_.link());
    slots_->Close();
  }

 private:
  ServerFixture& row_;
  std::unique_ptr<SlotRunner> slots_;
  Samples times_;
};

}  // namespace

LinkRow::LinkRow(const Suite& suite, const ServerMode& mode, const LinkedCall& call, Rtt rtt)
    : ServerFixture(suite,
                    call.name + "/rtt_us:" +
                        std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(rtt)
                                           .count()),
                    mode, Placement::kShared, {}, Timing::kManual),
      python_client_(call.python_client),
      delayed_(rtt.count() > 0) {
  const Suite hidden = Hidden(suite);
  SetRtt(rtt);
  row_ = call.make(hidden, call.name, rtt);
  if (!delayed_) return;
  local_ = call.make(hidden, call.name, Rtt(0));
  bound_ = MakeBound(hidden, rtt);
  local_bound_ = MakeBound(hidden, Rtt(0));
}

bool LinkRow::Enough(std::size_t rounds, Samples::Clock::time_point start) const {
  if (options().shortest_rows) return rounds >= 1;
  const Samples::Clock::duration time =
      options().preset == Preset::kFull ? Samples::Clock::duration(kTimeOfFull) : kTime;
  return rounds >= kRounds && Samples::Clock::now() - start >= time;
}

LinkRow::Course LinkRow::MeasureCourse() {
  Course course{.times = Samples(options().keeps_starts())};
  Connected row(*row_);
  std::array<std::optional<Connected>, 3> others;
  if (delayed_) {
    std::size_t next = 0;
    for (ServerFixture* other : {local_.get(), bound_.get(), local_bound_.get()}) {
      others[next++].emplace(*other);
    }
  }
  if (python_client_) meter().ClientIs(ClientProcess()->pid());
  const WireTotals before = row.Wire();
  std::vector<double> locals;
  std::vector<double> exchanges;
  const auto start = Samples::Clock::now();
  for (std::size_t rounds = 0; !Enough(rounds, start); ++rounds) {
    meter().Start();
    const SlotResult slot = row.Slot(delayed_ ? kDelayedSlot : kLocalSlot, course.times);
    meter().Stop();
    course.operations += slot.operations;
    if (!delayed_) continue;
    auto& [local, bound, local_bound] = others;
    const double local_us = local->Us(kLocalSlot);
    const double bound_us = bound->Us(kDelayedSlot) - local_bound->Us(kLocalSlot);
    locals.push_back(local_us);
    exchanges.push_back((slot.cost_us - local_us) / bound_us);
  }
  course.wire = row.Wire() - before;
  row.Close();
  for (auto& other : others) {
    if (other) other->Close();
  }
  if (delayed_) {
    course.local_us = MedianWithInterval(locals).median;
    course.exchanges = MedianWithInterval(exchanges);
  }
  meter().TakeSamples(course.times, Tail::kP50);
  course.meter.emplace(meter());
  return course;
}

void LinkRow::Measure(benchmark::State& state) {
  Course& course = once_.Get(state, [&] { return MeasureCourse(); });
  UseMeter(*course.meter);
  ReportEach(state, course.times.PercentileUs(50).value() * 1e-6);
  ReportCalls(state, course.times, course.wire, course.operations);
  if (!delayed_) return;
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
