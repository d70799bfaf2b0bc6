#include "bench/run/environment.h"

#include <algorithm>
#include <vector>

#include "servers/net/text.h"

namespace rpycbench {
namespace {

constexpr std::string_view kRecordedVariables[] = {
    "GLIBC_TUNABLES",    "LD_AUDIT",     "LD_LIBRARY_PATH", "LD_PRELOAD",
    "MALLOC_*",          "MIMALLOC_*",   "OPENSSL_CONF",    "OPENSSL_ia32cap",
    "PYTHONDEVMODE",     "PYTHONMALLOC", "PYTHONOPTIMIZE",  "PYTHONPROFILEIMPORTTIME",
    "PYTHONTRACEMALLOC", "TCMALLOC_*",
};

bool IsRecorded(std::string_view name) {
  return std::ranges::any_of(kRecordedVariables, [name](std::string_view recorded) {
    return recorded.ends_with('*') ? name.starts_with(recorded.substr(0, recorded.size() - 1))
                                   : name == recorded;
  });
}

}  // namespace

std::span<const std::string_view> RecordedVariables() { return kRecordedVariables; }

std::string DescribeEnvironment(const char* const* variables) {
  std::vector<std::string> found;
  for (; *variables != nullptr; ++variables) {
    const std::string_view text(*variables);
    const std::string_view name = text.substr(0, text.find('='));
    const bool is_empty = name.size() + 1 >= text.size();
    if (!is_empty && IsRecorded(name)) found.emplace_back(text);
  }
  std::ranges::sort(found);
  return Join(found, " ");
}

}  // namespace rpycbench
