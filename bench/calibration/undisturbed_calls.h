// Selects calls that nothing disturbed, by the CPU time that they lost and never by how long they
// took. So a server whose times are wrong can't lose its wrong calls here.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "fixtures/meter/samples.h"

namespace rpycbench {

class UndisturbedCalls {
 public:
  // The calls take turns at this many places, such as those of a cycle of delays.
  explicit UndisturbedCalls(std::size_t places) : places_(places) {}

  // Adds the next call and what LostCpuTime says about it.
  void Add(std::chrono::nanoseconds time, std::chrono::nanoseconds lost);

  // Returns how many places have no undisturbed call yet. There must be at least one call.
  std::size_t Disturbed() const;
  // Returns one call of each place: the first that is undisturbed, or else the one that lost least.
  Samples OneOfEachPlace() const;
  // Returns all undisturbed calls.
  Samples All() const;

 private:
  struct Call {
    std::chrono::nanoseconds time;
    std::chrono::nanoseconds lost;
  };

  // Returns how much an undisturbed call may lose: a little more than the tenth that lost least. A
  // call that includes a sleep loses that time, too.
  std::chrono::nanoseconds MostLost() const;

  std::size_t places_;
  std::vector<Call> calls_;
};

}  // namespace rpycbench
