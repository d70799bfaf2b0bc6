// Counts how many repetitions of a row have which doubt. Labels carry the doubts; validity.h
// defines them.
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

  // Returns the number of repetitions by the name of the doubt, without figures.
  const std::map<std::string, int>& counts() const { return counts_; }
  // Returns an entry such as "stalls:2of9" for each doubt.
  std::vector<std::string> Entries() const;

 private:
  std::map<std::string, int> counts_;
  int repetitions_ = 0;
};

}  // namespace rpycbench
