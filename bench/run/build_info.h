// How this program was built; the values are written into a generated source at each build.
#pragma once

namespace rpycbench::build_info {

extern const char kVersion[];           // of the suite
extern const char kGitRevision[];       // with "+dirty" if files differed from it; or "unknown"
extern const char kBuildType[];         // CMAKE_BUILD_TYPE
extern const char kSanitizer[];         // as for -fsanitize, empty for none
extern const char kCompiler[];          // name and version
extern const char kBenchmarkVersion[];  // of Google Benchmark

}  // namespace rpycbench::build_info
