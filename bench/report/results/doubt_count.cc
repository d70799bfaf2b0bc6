#include "bench/report/results/doubt_count.h"

#include "fixtures/meter/validity.h"

namespace rpycbench {

void DoubtCount::Add(std::string_view label) {
  ++repetitions_;
  for (const std::string& doubt : DoubtsIn(label)) ++counts_[doubt.substr(0, doubt.find(':'))];
}

std::vector<std::string> DoubtCount::Entries() const {
  std::vector<std::string> entries;
  for (const auto& [doubt, count] : counts_) {
    entries.push_back(doubt + ':' + std::to_string(count) + "of" + std::to_string(repetitions_));
  }
  return entries;
}

}  // namespace rpycbench
