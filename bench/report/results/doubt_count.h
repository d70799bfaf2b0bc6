// How many repetitions of a row have which doubt.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

class DoubtCount {
 public:
  // Counts the doubts in the label of a further repetition.
  void Add(std::string_view label);

  // By their words, without figures.
  const std::map<std::string, int>& counts() const { return counts_; }
  // "stalls:2of9", for each of them.
  std::vector<std::string> Entries() const;

 private:
  std::map<std::string, int> counts_;
  int repetitions_ = 0;
};

}  // namespace rpycbench
