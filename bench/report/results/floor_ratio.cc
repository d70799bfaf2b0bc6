#include "bench/report/results/floor_ratio.h"

#include <algorithm>
#include <regex>

#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

// Operations that only a protocol has, and what the floor has for them.
std::string AtTheFloor(std::string operation) {
  static const struct {
    std::regex only_a_protocols;
    const char* floors;
  } substitutes[] = {{std::regex("^ping_(bound|callattr)$"), "ping"},
                     {std::regex("^echo_reference/[0-9]+$"), "ping"},
                     {std::regex("^((up|down)load_chunked)_(by_value|buffiter)/"), "$1/"},
                     {std::regex("^(ping_callattr|pool:[0-9]+)/"), ""},
                     {std::regex("^python_opening$"), ""}};
  for (const auto& substitute : substitutes) {
    operation = std::regex_replace(operation, substitute.only_a_protocols, substitute.floors,
                                   std::regex_constants::format_first_only);
  }
  return operation;
}

// µs a call; of rows about a rate, µs an answer of all clients.
std::optional<double> CostOf(const MeasuredRow& row) {
  const std::optional<double> p50 = row.Get(counter::kP50);
  if (!p50 || *p50 <= 0) return std::nullopt;
  const std::optional<double> rate = row.Get("items_per_second");
  const bool about_a_rate = row.name.type == "Concurrent" || row.name.type == "Compute";
  return about_a_rate && rate && *rate > 0 ? 1e6 / *rate : p50;
}

// An entry that one side lacks (compression) is no contradiction.
bool Contradict(const Labels& some, const Labels& others) {
  return std::ranges::any_of(some, [&](const auto& entry) {
    const auto other = std::ranges::find(others, entry.first, &Labels::value_type::first);
    return other != others.end() && other->second != entry.second;
  });
}

}  // namespace

std::vector<std::string> FloorNames(const RowName& name) {
  const std::string operation = AtTheFloor(std::string(name.operation()));
  const std::string mode = "tcp_threaded";
  return {RowName{name.type, operation.empty() ? mode : mode + '/' + operation}.whole(),
          RowName{"Floor", operation}.whole()};
}

void FloorRatio::Learn(const MeasuredRow& row) {
  if (const std::optional<double> cost = CostOf(row)) {
    rows_[row.name.whole()].push_back({row.labels, *cost});
  }
}

std::optional<double> FloorRatio::Of(const MeasuredRow& row) const {
  const std::optional<double> cost = CostOf(row);
  if (!cost) return std::nullopt;
  for (const std::string& name : FloorNames(row.name)) {
    const auto named = rows_.find(name);
    if (named == rows_.end()) continue;
    for (const Measured& floor : named->second) {
      if (!Contradict(floor.labels, row.labels)) return *cost / floor.cost;
    }
  }
  return std::nullopt;
}

}  // namespace rpycbench
