// A row whose calls cross a link that delays packets. The same calls follow without delay, and
// calls over plain TCP, which wait for the link once, with it and without it. So the row also knows
// how many times its call waits for the link.
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
  bool connects = false;  // each call makes a new connection
};

class LinkRow : public ServerFixture {
 public:
  LinkRow(const Suite& suite, const ServerMode& mode, const LinkedCall& call, Rtt rtt);

  std::string Label() const override { return row_->Label(); }

 protected:
  void Measure(benchmark::State& state) override;

 private:
  // What all these calls have shown.
  struct Course {
    Samples times;
    std::uint64_t operations = 0;  // with those that warmed up
    WireTotals wire;
    std::optional<RowMeter> meter;
    std::optional<double> local_us;  // the call without delay; null without exchanges
    std::optional<MedianInterval> exchanges;
  };

  Course MeasureCourse();
  bool python_client_;
  bool connects_;
  bool has_exchanges_;
  std::unique_ptr<ServerFixture> row_;
  // Without delay, and a call over plain TCP with and without it. Null without exchanges.
  std::unique_ptr<ServerFixture> local_;
  std::unique_ptr<ServerFixture> bound_;
  std::unique_ptr<ServerFixture> local_bound_;
  OncePerRepetition<Course> once_;
};

// Registers a row of the call for each RTT.
void RegisterLinkRows(const Suite& suite, const ServerMode& mode, const LinkedCall& call,
                      const std::vector<Rtt>& rtts);

}  // namespace rpycbench
