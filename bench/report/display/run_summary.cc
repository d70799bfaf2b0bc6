#include "bench/report/display/run_summary.h"

#include <algorithm>

#include "bench/report/display/readable_units.h"
#include "servers/net/text.h"

namespace rpycbench {
namespace {

std::string Plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> DescribeContext(const benchmark::BenchmarkReporter::Context& context,
                                         const ContextEntries& about) {
  const auto entry = [&about](const std::string& key, const std::string& before = "") {
    const auto found = std::ranges::find(about, key, &ContextEntries::value_type::first);
    return found == about.end() ? std::string() : before + found->second;
  };
  const benchmark::CPUInfo& cpus = context.cpu_info;
  std::string count = Plural(static_cast<std::size_t>(cpus.num_cpus), "CPU");
  if (cpus.cycles_per_second > 0) {
    count += " of " + NumberText(cpus.cycles_per_second / 1e9) + " GHz";
  }
  std::vector<std::string> load;
  for (const double average : cpus.load_avg) load.push_back(NumberText(average));
  return {Join({VersionLine(), entry("preset", "preset "), entry("suite_build_type", "built as "),
                entry("sanitizer", "-fsanitize="), entry("compiler")},
               ", "),
          Join({context.sys_info.name, entry("cpu_model"), count, entry("kernel"),
                load.empty() ? "" : "load " + Join(load, " ")},
               ", ")};
}

std::string Legend(bool ledger) {
  return std::string("p50, p99 of a call; × floor: times tcp_threaded's cost; CPU per call; ") +
         (ledger ? "syscalls and allocs of client + server; " : "") + "? doubts";
}

std::string EndOfRun(std::size_t rows, std::chrono::seconds time) {
  return Plural(rows, "row") + " in " + MinutesAndSeconds(time);
}

}  // namespace rpycbench
