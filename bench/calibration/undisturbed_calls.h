// Selects calls that nothing disturbed, by the CPU time that they lost and never by how long they
// took. So a server whose times are wrong cannot lose its wrong calls here.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace rpycbench {

// An undisturbed call loses up to this much more than the least disturbed one, because wake-ups
// differ. It is about half a percent of a known delay.
inline constexpr std::chrono::microseconds kWakeUps{50};

class UndisturbedCalls {
 public:
  struct Call {
    std::chrono::nanoseconds time;
    std::chrono::nanoseconds lost;         // what LostCpuTime says about it
    std::chrono::nanoseconds after_pause;  // what the probe's ping took after a pause just before
    std::chrono::steady_clock::time_point start = {};
  };

  // The calls take turns at this many places, such as those of a cycle of delays. So many are
  // wanted of each place.
  UndisturbedCalls(std::size_t places, std::size_t of_each) : places_(places), of_each_(of_each) {}

  void Add(const Call& call) { calls_.push_back(call); }

  // Returns how many undisturbed calls are still missing.
  std::size_t Missing() const;
  // Returns the wanted number of calls of each place, fewer if there are not so many: the first
  // undisturbed ones, then those that lost least.
  std::vector<Call> Best() const;

 private:
  // Returns how much an undisturbed call may lose. A call that includes a sleep loses that time,
  // too, so it is a little more than what the least disturbed call lost.
  std::chrono::nanoseconds MostLost() const;

  std::size_t places_;
  std::size_t of_each_;
  std::vector<Call> calls_;
};

}  // namespace rpycbench
