#include "bench/run/describe.h"

#include <boost/json.hpp>
#include <limits>

#include "bench/report/results/floor_names.h"
#include "bench/run/build_info.h"
#include "bench/run/environment.h"
#include "bench/types/presets.h"
#include "fixtures/meter/validity.h"
#include "fixtures/options.h"
#include "fixtures/server_mode.h"

namespace rpycbench {
namespace {

namespace json = boost::json;

constexpr Preset kPresets[] = {Preset::kQuick, Preset::kDefault, Preset::kClassic, Preset::kFull};

json::value ToJson(Better better) {
  if (better == Better::kNeither) return nullptr;
  return better == Better::kLower ? "lower" : "higher";
}

// `texts` includes what only people read.
json::array DescribeTypes(const TypeTable& types, bool texts) {
  json::array list;
  for (const TypeDescription* type : types.all()) {
    json::object entry{{"name", type->name}};
    if (texts) {
      entry["timed"] = type->timed;
      entry["variants"] = type->variants;
    }
    entry["primary"] = {{"counter", type->primary.counter.name},
                        {"heading", type->primary.heading}};
    entry["is_rate"] = type->is_rate;
    entry["has_calls"] = type->has_calls;
    entry["has_tail"] = type->has_tail;
    json::array counters;
    for (const Counter& counter : type->counters) counters.push_back(counter.name);
    entry["counters"] = std::move(counters);
    if (texts) entry["flags"] = json::array(type->flags.begin(), type->flags.end());
    list.push_back(std::move(entry));
  }
  return list;
}

json::array DescribeModes(bool presets) {
  json::array list;
  for (const ServerMode& mode : kServerModes) {
    json::object entry{{"name", mode.name},
                       {"family", mode.name.substr(0, mode.name.find('_'))},
                       {"protocol", ToString(mode.protocol)},
                       {"model", mode.model},
                       {"python", mode.software.is_python()},
                       {"script", mode.software.script}};
    if (presets) {
      const std::size_t at_once = mode.traits.connections_at_once;
      const bool any = at_once == std::numeric_limits<std::size_t>::max();
      entry["connections_at_once"] = any ? json::value() : json::value(at_once);
      entry["keeps_connections"] = mode.traits.keeps_connections;
      entry["process_per_connection"] = mode.traits.process_per_connection;
      json::object extents;
      for (const Preset preset : kPresets) {
        extents[ToString(preset)] = ToString(ExtentOf(preset, mode));
      }
      entry["presets"] = std::move(extents);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

json::array DescribeCounters(bool texts) {
  json::array list;
  const auto add = [&](const auto& counters) {
    for (const Counter& counter : counters) {
      json::object entry{
          {"name", counter.name}, {"unit", counter.unit}, {"better", ToJson(counter.better)}};
      if (texts) entry["meaning"] = counter.meaning;
      list.push_back(std::move(entry));
    }
  };
  add(counter::kAll);
  add(counter::kFrameworks);
  return list;
}

json::array DescribeDoubts() {
  json::array list;
  for (const DoubtKind& kind : doubt::kAll) {
    list.push_back({{"name", kind.name}, {"meaning", kind.meaning}, {"remedy", kind.remedy}});
  }
  return list;
}

json::object DescribeFloor() {
  json::array substitutes;
  for (const auto& [operation, instead] : FloorSubstitutes()) {
    substitutes.push_back(json::array{operation, instead});
  }
  return {{"mode", kFloorMode}, {"substitutes", std::move(substitutes)}};
}

json::array DescribeFlags() {
  json::array list;
  for (const FlagHelp& flag : Flags()) {
    list.push_back({{"name", flag.name},
                    {"values", flag.values},
                    {"default", flag.default_value},
                    {"help", flag.help}});
  }
  return list;
}

json::object Description(const TypeTable& types, bool texts) {
  return {{"suite_version", build_info::kVersion},
          {"types", DescribeTypes(types, texts)},
          {"modes", DescribeModes(texts)},
          {"counters", DescribeCounters(texts)},
          {"floor", DescribeFloor()}};
}

}  // namespace

std::string Describe(const TypeTable& types) {
  json::object description = Description(types, true);
  json::array presets;
  for (const Preset preset : kPresets) presets.push_back(json::string(ToString(preset)));
  description["presets"] = std::move(presets);
  description["doubts"] = DescribeDoubts();
  json::array environment;
  for (const std::string_view name : RecordedVariables()) environment.push_back(json::string(name));
  description["environment"] = std::move(environment);
  description["flags"] = DescribeFlags();
  return json::serialize(description);
}

json::object DescribeForReaders(const TypeTable& types) { return Description(types, false); }

}  // namespace rpycbench
