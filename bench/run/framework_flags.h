// The framework's own flags, `--benchmark_*` and `--v`: what they say, and that they are right. The
// framework takes them from the arguments and from the environment (BENCHMARK_FILTER, …), keeps
// them to itself, and goes on with a default, or exits with success, when a value is malformed;
// here they can be asked for, and malformed ones are refused before anything is measured.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rpycbench {

class FrameworkFlags {
 public:
  // Whether an argument is one of the framework's.
  static bool Owns(std::string_view argument);

  // Throws UsageError for a flag whose value, from the arguments or the environment, is malformed.
  explicit FrameworkFlags(std::vector<std::string> arguments);

  // The value of a flag, without the dashes: the last argument that sets it, or else the
  // environment. Empty text for a switch without a value, none for a flag that isn't set.
  std::optional<std::string> Value(std::string_view name) const;
  // The value, or `otherwise` when the flag isn't set.
  std::string ValueOr(std::string_view name, std::string_view otherwise) const;
  // Whether a switch is on, as the framework reads it.
  bool On(std::string_view name) const;
  // From here on the flag has this value, whatever the user said.
  void Set(std::string_view name, std::string_view value);

  // Hands the flags to the framework. `program` is argv[0], kept by the framework for its context.
  // Throws UsageError for a flag it does not know. Flags that are not set keep what they have.
  void Initialize(char* program) const;

 private:
  std::vector<std::string> arguments_;
};

}  // namespace rpycbench
