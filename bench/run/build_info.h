// How this program was built. Each build writes the values into a generated source.
#pragma once

namespace rpycbench::build_info {

extern const char kVersion[];           // the suite's
extern const char kGitRevision[];       // with "+dirty" if files differed from it; or "unknown"
extern const char kBuildType[];         // CMAKE_BUILD_TYPE
extern const char kSanitizer[];         // as given to -fsanitize, or empty
extern const char kCompiler[];          // name and version
extern const char kBenchmarkVersion[];  // Google Benchmark's

}  // namespace rpycbench::build_info
