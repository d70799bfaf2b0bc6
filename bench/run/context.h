// What a result file says about the run as a whole, beside what the framework says by itself: how
// the suite was built, on what it ran, and what was asked for. Where the framework's own
// "library_build_type" says "debug" (Debian builds the library so), it speaks of the framework
// alone; the code under measurement is described by "suite_build_type".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fixtures/options.h"

namespace rpycbench {

using ContextEntries = std::vector<std::pair<std::string, std::string>>;

// The keys and values of the context.
ContextEntries DescribeRun(const Options& options);

// Adds entries to the framework's context, in which no key may come twice.
void AddContext(const ContextEntries& entries);

// "rpycbench <version> (<git revision>)".
std::string VersionLine();

// One line if this build's figures are not worth comparing: not optimised, or with sanitizers.
// Empty otherwise.
std::string BuildWarning();

}  // namespace rpycbench
