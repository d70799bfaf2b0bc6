#include "bench/report/results/floor_names.h"

#include <regex>

namespace rpycbench {
namespace {

constexpr FloorSubstitute kSubstitutes[] = {
    {"^(ping_(bound|callattr)|with)$", "ping"},
    {"^getattr_missing$", "exception"},
    {"^(attribute_each|buffiter|obtain|by_value)/", "batch/"},
    {"^echo_reference/[0-9]+$", "ping"},
    {"^((up|down)load_chunked)_(by_value|buffiter)/", "{1}/"},
    {"^(ping_callattr|pool:[0-9]+|as_library)/", ""},
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

}  // namespace

std::span<const FloorSubstitute> FloorSubstitutes() { return kSubstitutes; }

std::vector<std::string> FloorNames(const RowName& name) {
  const std::string operation = AtTheFloor(std::string(name.operation()));
  const std::string mode = kFloorMode;
  // The floor has no clients in Python.
  const std::string type = name.type.substr(name.type.starts_with("Py") ? 2 : 0);
  return {RowName{type, operation.empty() ? mode : mode + '/' + operation}.whole(),
          RowName{"Floor", operation}.whole()};
}

}  // namespace rpycbench
