#include "bench/calibration/undisturbed_calls.h"

#include <algorithm>

namespace rpycbench {
std::chrono::nanoseconds UndisturbedCalls::MostLost() const {
  return std::ranges::min(calls_, {}, &Call::lost).lost + kWakeUps;
}

std::size_t UndisturbedCalls::Missing() const {
  if (calls_.empty()) return places_ * of_each_;
  const auto most = MostLost();
  std::vector<std::size_t> missing(places_, of_each_);
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    std::size_t& at_place = missing[i % places_];
    if (calls_[i].lost <= most && at_place > 0) --at_place;
  }
  std::size_t sum = 0;
  for (const std::size_t at_place : missing) sum += at_place;
  return sum;
}

std::vector<UndisturbedCalls::Call> UndisturbedCalls::Best() const {
  std::vector<Call> best;
  for (std::size_t place = 0; place < std::min(places_, calls_.size()); ++place) {
    std::vector<Call> calls;
    for (std::size_t i = place; i < calls_.size(); i += places_) calls.push_back(calls_[i]);
    const auto most = MostLost();
    std::ranges::stable_sort(calls, {},
                             [&](const Call& call) { return std::max(call.lost, most); });
    calls.resize(std::min(calls.size(), of_each_));
    best.insert(best.end(), calls.begin(), calls.end());
  }
  return best;
}

}  // namespace rpycbench
