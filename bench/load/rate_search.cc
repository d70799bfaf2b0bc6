#include "bench/load/rate_search.h"

namespace rpycbench {
namespace {

constexpr int kBisections = 7;
constexpr int kConfirmations = 5;

}  // namespace

std::optional<FoundRate> FindHighestRate(double most_per_second,
                                         const std::function<bool(double)>& probe,
                                         const std::function<bool(double)>& confirm,
                                         std::size_t* made) {
  double meets = 0;
  double fails = most_per_second;
  for (int i = 0; i < kBisections; ++i) {
    const double rate = (meets + fails) / 2;
    ++*made;
    bool met = probe(rate);
    if (!met) {
      ++*made;
      met = probe(rate);
    }
    (met ? meets : fails) = rate;
  }
  double rate = meets;
  for (int i = 0; rate > 0 && i < kConfirmations; ++i, rate *= 0.9) {
    ++*made;
    if (confirm(rate)) return FoundRate{rate, *made};
  }
  return std::nullopt;
}

}  // namespace rpycbench
