#include "bench/calibration/undisturbed_calls.h"

#include <algorithm>

namespace rpycbench {
namespace {

// An undisturbed call loses up to this much more than the usual for its wake-ups. It is less than
// one percent of the shortest known delay's median.
constexpr std::chrono::microseconds kWakeUps{30};
constexpr std::size_t kUsualShare = 10;

}  // namespace

void UndisturbedCalls::Add(std::chrono::nanoseconds time, std::chrono::nanoseconds lost) {
  calls_.push_back({time, lost});
}

std::chrono::nanoseconds UndisturbedCalls::MostLost() const {
  std::vector<std::chrono::nanoseconds> lost;
  for (const Call& call : calls_) lost.push_back(call.lost);
  const auto usual = lost.begin() + static_cast<std::ptrdiff_t>(lost.size() / kUsualShare);
  std::ranges::nth_element(lost, usual);
  return *usual + kWakeUps;
}

std::size_t UndisturbedCalls::Disturbed() const {
  const auto most = MostLost();
  std::vector<bool> good(places_);
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].lost <= most) good[i % places_] = true;
  }
  return static_cast<std::size_t>(std::ranges::count(good, false));
}

Samples UndisturbedCalls::OneOfEachPlace() const {
  const auto most = MostLost();
  std::vector<Call> chosen(calls_.begin(), calls_.begin() + static_cast<std::ptrdiff_t>(
                                                                std::min(places_, calls_.size())));
  for (std::size_t i = chosen.size(); i < calls_.size(); ++i) {
    Call& present = chosen[i % places_];
    if (present.lost > most && calls_[i].lost < present.lost) present = calls_[i];
  }
  Samples samples;
  samples.Reset(chosen.size());
  for (const Call& call : chosen) samples.Add(call.time);
  return samples;
}

Samples UndisturbedCalls::All() const {
  const auto most = MostLost();
  Samples samples;
  for (const Call& call : calls_) {
    if (call.lost <= most) samples.Add(call.time);
  }
  return samples;
}

}  // namespace rpycbench
