// The framework's own flags, `--benchmark_*` and `--v`. The framework takes them from the arguments
// and from the environment (BENCHMARK_FILTER, …) and keeps them to itself. For a malformed value it
// continues with a default, or exits with success. This class makes the values available and
// refuses malformed ones before anything is measured.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

class FrameworkFlags {
 public:
  // Returns whether an argument is one of the framework's flags.
  static bool Owns(std::string_view argument);

  // Throws UsageError for a flag whose value, from the arguments or the environment, is malformed.
  explicit FrameworkFlags(std::vector<std::string> arguments);

  // Returns the value of a flag; `name` has no dashes. The last argument that sets it counts, or
  // else the environment. Returns empty text for a switch without a value, nothing for a flag that
  // isn't set.
  std::optional<std::string> Value(std::string_view name) const;
  // Returns the value, or `otherwise` if the flag isn't set.
  std::string ValueOr(std::string_view name, std::string_view otherwise) const;
  // Returns whether a switch is on, as the framework reads it.
  bool On(std::string_view name) const;
  // Sets the flag to this value, whatever the user gave.
  void Set(std::string_view name, std::string_view value);

  // Passes the flags to the framework; those that are not set keep the framework's value. `program`
  // is argv[0], which the framework keeps for its context. Throws UsageError for a flag that the
  // framework does not know.
  void Initialize(char* program) const;

 private:
  std::vector<std::string> arguments_;
};

}  // namespace rpycbench
