// Slots of rows about a rate, whose clients stay connected. A slot is one or several rounds, in
// which every client makes the same number of requests: as many as there is time for.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "fixtures/slot.h"

namespace rpycbench {

class RateSlots : public SlotRunner {
 public:
  SlotResult Run(const SlotLength& length, Samples& times) override {
    SlotResult slot;
    // The first ones warm up. Before the very first it is not known how many there is time for.
    const auto warmup = length.time / 8;
    Samples ignored;
    do {
      slot.spent = {};
      slot.operations += Round(Fitting(warmup), slot.spent, ignored);
    } while (slot.spent < warmup / 2);
    slot.spent = {};
    std::uint64_t counted = 0;
    do {
      counted += Round(Fitting(length.time), slot.spent, times);
    } while (slot.spent < length.time * 3 / 4);
    slot.operations += counted;
    slot.cost_us = static_cast<double>(slot.spent.count()) / 1e3 / static_cast<double>(counted);
    return slot;
  }

 protected:
  static constexpr std::int64_t kMostRequests = 1'000;  // by each client at a time

 private:
  // Lets each client make so many requests. Appends their times, and adds the time from the first
  // request to the last reply to `spent`. Returns how many all of them made.
  virtual std::uint64_t MakeRequests(std::int64_t requests, std::chrono::nanoseconds& spent,
                                     Samples& times) = 0;

  std::uint64_t Round(std::int64_t requests, std::chrono::nanoseconds& spent, Samples& times) {
    std::chrono::nanoseconds took{};
    const std::uint64_t made = MakeRequests(requests, took, times);
    each_ns_ = static_cast<double>(took.count()) / static_cast<double>(requests);
    spent += took;
    return made;
  }

  // Returns how many requests each client can make in that time; 1 before the first of them.
  std::int64_t Fitting(std::chrono::nanoseconds time) const {
    if (each_ns_ == 0) return 1;
    const double fitting = static_cast<double>(time.count()) / each_ns_;
    return static_cast<std::int64_t>(std::clamp(fitting, 1.0, double{kMostRequests}));
  }

  double each_ns_ = 0;  // the time of a request by each client; 0 before the first
};

}  // namespace rpycbench
