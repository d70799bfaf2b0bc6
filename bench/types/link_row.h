// A row whose calls cross a link that delays packets. Slots of its calls alternate with slots of the
// same call without delay, and with a bound call over plain TCP, which waits for the link once. So
// the row also knows how many times its call waits for the link.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/types/once_per_repetition.h"
#include "fixtures/pairs/median_interval.h"
#include "fixtures/server_fixture.h"

namespace rpycbench {

using Rtt = std::chrono::nanoseconds;

// Makes a row, not known to the framework, whose calls cross a link of that RTT.
using MakeLinkedRow =
    std::function<std::unique_ptr<ServerFixture>(const Suite& suite, const std::string& name, Rtt)>;

struct LinkedCall {
  std::string name;  // of the row, without the RTT
  MakeLinkedRow make;
  bool python_client = false;
};

class LinkRow : public ServerFixture {
 public:
  LinkRow(const Suite& suite, const ServerMode& mode, const LinkedCall& call, Rtt rtt);

  std::string Label() const override { return row_->Label(); }

 protected:
  void Measure(benchmark::State& state) override;

 private:
  // What the alternation has shown.
  struct Course {
    Samples times;
    std::uint64_t operations = 0;  // with those that warmed up
    WireTotals wire;
    std::optional<RowMeter> meter;
    std::optional<double> local_us;  // the call without delay
    std::optional<MedianInterval> exchanges;
  };

  Course MeasureCourse();
  bool Enough(std::size_t rounds, Samples::Clock::time_point start) const;

  bool python_client_;
  bool delayed_;
  std::unique_ptr<ServerFixture> row_;
  // Without delay, and a call over plain TCP with and without it. Null if the row has no delay.
  std::unique_ptr<ServerFixture> local_;
  std::unique_ptr<ServerFixture> bound_;
  std::unique_ptr<ServerFixture> local_bound_;
  OncePerRepetition<Course> once_;
};

// Registers a row of the call for each RTT.
void RegisterLinkRows(const Suite& suite, const ServerMode& mode, const LinkedCall& call,
                      const std::vector<Rtt>& rtts);

}  // namespace rpycbench
