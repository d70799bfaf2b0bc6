#include "bench/run/framework_flags.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "fixtures/usage_error.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

bool IsOneOf(std::string_view text, std::span<const std::string_view> valid) {
  return std::ranges::find(valid, text) != valid.end();
}

bool IsSwitch(std::string_view text) {
  static constexpr std::array<std::string_view, 13> kValid{
      "", "true", "false", "yes", "no", "on", "off", "1", "0", "t", "f", "y", "n"};
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return IsOneOf(lower, kValid);
}

bool IsFormat(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kValid{"console", "json", "csv"};
  return IsOneOf(text, kValid);
}

bool IsTimeUnit(std::string_view text) {
  static constexpr std::array<std::string_view, 4> kValid{"ns", "us", "ms", "s"};
  return IsOneOf(text, kValid);
}

bool IsColor(std::string_view text) { return text == "auto" || (IsSwitch(text) && !text.empty()); }

bool IsSeconds(std::string_view text) {
  const auto seconds = ParseWhole<double>(text);
  return seconds && std::isfinite(*seconds) && *seconds >= 0;
}

// Accepts seconds, with or without the unit, or a number of iterations if the framework supports
// that.
bool IsMinTime(std::string_view text) {
  if (text.ends_with('s')) text.remove_suffix(1);
  return IsSeconds(text) ||
         (text.ends_with('x') && text.find_first_not_of("0123456789") == text.size() - 1 &&
          text.size() > 1);
}

bool IsCount(std::string_view text) {
  const auto count = ParseWhole<int>(text);
  return count && *count >= 1 && *count <= 1'000'000;
}

bool IsNumber(std::string_view text) { return ParseWhole<int>(text).has_value(); }

bool IsPairs(std::string_view text) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (std::ranges::count(text.substr(0, comma), '=') != 1) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool IsText(std::string_view) { return true; }

struct Known {
  std::string_view name;
  std::string_view valid;  // valid values, for the message
  bool (*accepts)(std::string_view value);
};

// Later versions of the framework know more flags and judge those themselves.
constexpr Known kKnown[] = {
    {"benchmark_list_tests", "true or false", IsSwitch},
    {"benchmark_filter", "a regular expression", IsText},
    {"benchmark_min_time", "a number of seconds from 0 on", IsMinTime},
    {"benchmark_min_warmup_time", "a number of seconds from 0 on", IsSeconds},
    {"benchmark_repetitions", "a whole number from 1 to 1000000", IsCount},
    {"benchmark_enable_random_interleaving", "true or false", IsSwitch},
    {"benchmark_report_aggregates_only", "true or false", IsSwitch},
    {"benchmark_display_aggregates_only", "true or false", IsSwitch},
    {"benchmark_format", "console, json or csv", IsFormat},
    {"benchmark_out", "the name of a file", IsText},
    {"benchmark_out_format", "json, console or csv", IsFormat},
    {"benchmark_color", "auto, true or false", IsColor},
    {"benchmark_counters_tabular", "true or false", IsSwitch},
    {"benchmark_perf_counters", "names of counters between commas", IsText},
    {"benchmark_context", "<key>=<value>,...", IsPairs},
    {"benchmark_time_unit", "ns, us, ms or s", IsTimeUnit},
    {"v", "a whole number", IsNumber},
};

std::string_view NameOf(std::string_view argument) {
  return argument.substr(2, argument.find('=') - 2);
}

std::optional<std::string> FromEnvironment(std::string_view name) {
  std::string variable(name);
  std::ranges::transform(variable, variable.begin(),
                         [](unsigned char c) { return std::toupper(c); });
  // A single letter, like V for --v, is too common a name: the variable may belong to another
  // program.
  const char* value = name.size() > 1 ? std::getenv(variable.c_str()) : nullptr;
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string Refused(std::string_view argument) {
  std::string message =
      "unknown or incomplete flag \"" + std::string(argument) + "\"; the framework's flags are";
  for (const Known& known : kKnown) message += " --" + std::string(known.name);
  return message;
}

// The framework calls this for a value it can't use, then exits with success.
void RefuseToGoOn() {
  std::fputs("bench_all: a --benchmark_ flag or BENCHMARK_ variable has a bad value; see --help\n",
             stderr);
  std::exit(2);
}

}  // namespace

bool FrameworkFlags::Owns(std::string_view argument) {
  return argument.starts_with("--benchmark_") || argument.starts_with("--v=");
}

FrameworkFlags::FrameworkFlags(std::vector<std::string> arguments)
    : arguments_(std::move(arguments)) {
  for (const Known& known : kKnown) {
    const std::optional<std::string> value = Value(known.name);
    if (value && !known.accepts(*value)) {
      throw UsageError("--" + std::string(known.name) + ": \"" + *value + "\" is not " +
                       std::string(known.valid));
    }
  }
}

std::optional<std::string> FrameworkFlags::Value(std::string_view name) const {
  for (auto argument = arguments_.rbegin(); argument != arguments_.rend(); ++argument) {
    if (NameOf(*argument) != name) continue;
    const std::size_t equals = argument->find('=');
    return equals == std::string::npos ? std::string() : argument->substr(equals + 1);
  }
  return FromEnvironment(name);
}

std::string FrameworkFlags::ValueOr(std::string_view name, std::string_view otherwise) const {
  return Value(name).value_or(std::string(otherwise));
}

bool FrameworkFlags::On(std::string_view name) const {
  const std::optional<std::string> value = Value(name);
  if (!value) return false;
  if (value->empty()) return true;
  const char first = static_cast<char>(std::tolower(static_cast<unsigned char>(value->front())));
  return first == '1' || first == 't' || first == 'y' || (first == 'o' && value->size() == 2);
}

void FrameworkFlags::Set(std::string_view name, std::string_view value) {
  std::erase_if(arguments_, [name](const std::string& set) { return NameOf(set) == name; });
  arguments_.push_back("--" + std::string(name) + '=' + std::string(value));
}

void FrameworkFlags::Initialize(char* program) const {
  std::vector<std::string> texts = arguments_;
  std::vector<char*> argv{program};
  for (std::string& text : texts) argv.push_back(text.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(argv.size()) - 1;
  benchmark::Initialize(&argc, argv.data(), RefuseToGoOn);
  if (argc > 1) throw UsageError(Refused(argv[1]));
}

}  // namespace rpycbench
