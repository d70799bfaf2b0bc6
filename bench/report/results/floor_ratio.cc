#include "bench/report/results/floor_ratio.h"

#include <algorithm>
#include <regex>

#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

constexpr FloorSubstitute kSubstitutes[] = {
    {"^ping_(bound|callattr)$", "ping"},
    {"^echo_reference/[0-9]+$", "ping"},
    {"^((up|down)load_chunked)_(by_value|buffiter)/", "{1}/"},
    {"^(ping_callattr|pool:[0-9]+)/", ""},
    {"^python_opening$", ""},
};

std::string AtTheFloor(const std::string& operation) {
  for (const FloorSubstitute& substitute : kSubstitutes) {
    std::smatch match;
    if (!std::regex_search(operation, match, std::regex(substitute.operation))) continue;
    std::string instead = substitute.instead;
    if (const std::size_t group = instead.find("{1}"); group != std::string::npos) {
      instead.replace(group, 3, match[1]);
    }
    return instead + match.suffix().str();
  }
  return operation;
}

// An entry that one side lacks (compression) is no contradiction.
bool Contradict(const Labels& some, const Labels& others) {
  return std::ranges::any_of(some, [&](const auto& entry) {
    const auto other = std::ranges::find(others, entry.first, &Labels::value_type::first);
    return other != others.end() && other->second != entry.second;
  });
}

}  // namespace

std::span<const FloorSubstitute> FloorSubstitutes() { return kSubstitutes; }

std::vector<std::string> FloorNames(const RowName& name) {
  const std::string operation = AtTheFloor(std::string(name.operation()));
  const std::string mode = kFloorMode;
  return {RowName{name.type, operation.empty() ? mode : mode + '/' + operation}.whole(),
          RowName{"Floor", operation}.whole()};
}

std::optional<double> FloorRatio::CostOf(const MeasuredRow& row) const {
  const std::optional<double> p50 = row.Get(counter::kP50);
  if (!p50 || *p50 <= 0) return std::nullopt;
  const std::optional<double> rate = row.Get(counter::kItemsPerSecond);
  return types_.Find(row.name.type).is_rate && rate && *rate > 0 ? 1e6 / *rate : p50;
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
