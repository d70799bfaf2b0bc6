#include "bench/run/context.h"

#include <benchmark/benchmark.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/version.hpp>
#include <fstream>
#include <string_view>

#include "bench/run/build_info.h"
#include "bench/run/environment.h"

namespace rpycbench {
namespace {

std::string BoostVersion() {
  return std::to_string(BOOST_VERSION / 100'000) + '.' +
         std::to_string(BOOST_VERSION / 100 % 1'000) + '.' + std::to_string(BOOST_VERSION % 100);
}

std::string Kernel() {
  utsname name;
  if (::uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + ' ' + name.release + ' ' + name.machine;
}

// Returns an empty name where the kernel gives none (most ARM machines).
std::string CpuModel() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t value = line.find_first_not_of(": \t", line.find(':'));
    return value == std::string::npos ? std::string() : line.substr(value);
  }
  return {};
}

// Returns the dialect of all RPyC rows; empty if the run has none.
std::string DialectOfRun(const Options& options) {
  if (!options.dialect && !options.dialect_at_hand) return {};
  return std::string(ToString(options.dialect ? *options.dialect : *options.dialect_at_hand));
}

}  // namespace

ContextEntries DescribeRun(const Options& options) {
  ContextEntries context{
      {"suite_version", build_info::kVersion},
      {"git_revision", build_info::kGitRevision},
      {"suite_build_type", build_info::kBuildType},
      {"sanitizer", build_info::kSanitizer},
      {"compiler", build_info::kCompiler},
      {"boost_version", BoostVersion()},
      {"openssl_version", OpenSSL_version(OPENSSL_VERSION_STRING)},
      {"google_benchmark_version", build_info::kBenchmarkVersion},
      {"kernel", Kernel()},
      {"cpu_model", CpuModel()},
      {"preset", std::string(ToString(options.preset))},
      {"placement", std::string(options.placement ? ToString(*options.placement) : "by type")},
      {"payload", std::string(ToString(options.payload))},
      {"compression", std::string(ToString(options.compression))},
      {"dialect", DialectOfRun(options)},
      {"server_launcher", options.server_launcher},
      {"environment", DescribeEnvironment(environ)},
  };
  std::erase_if(context, [](const auto& entry) { return entry.second.empty(); });
  return context;
}

void AddContext(const ContextEntries& entries) {
  for (const auto& [key, value] : entries) benchmark::AddCustomContext(key, value);
}

std::string VersionLine() {
  return std::string("rpycbench ") + build_info::kVersion + " (" + build_info::kGitRevision + ')';
}

std::string BuildWarning() {
  const std::string_view type = build_info::kBuildType;
  const std::string_view sanitizer = build_info::kSanitizer;
  if (!sanitizer.empty()) {
    return "warning: built with -fsanitize=" + std::string(sanitizer) +
           "; the figures say nothing about a normal build";
  }
  if (type == "Release" || type == "RelWithDebInfo") return {};
  return "warning: built as \"" + std::string(type) +
         "\", not as Release; the figures say nothing about an optimised build";
}

}  // namespace rpycbench
