// What a result file says about the run as a whole: how the suite was built, where it ran, and what
// was asked for. The framework adds its own entries. Its "library_build_type" says "debug" for
// Debian's build of the library; that concerns the framework alone. "suite_build_type" describes
// the code under measurement.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fixtures/options.h"

namespace rpycbench {

using ContextEntries = std::vector<std::pair<std::string, std::string>>;

// Returns the keys and values of the context.
ContextEntries DescribeRun(const Options& options);

// Adds entries to the framework's context. No key may come twice.
void AddContext(const ContextEntries& entries);

// Returns "rpycbench <version> (<git revision>)".
std::string VersionLine();

// Returns one line if this build's figures are not worth comparing, because it is not optimised or
// has sanitizers. Otherwise returns an empty string.
std::string BuildWarning();

}  // namespace rpycbench
