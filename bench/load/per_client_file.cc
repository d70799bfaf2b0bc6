#include "bench/load/per_client_file.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "servers/net/text.h"

namespace rpycbench {
namespace {

using TimePoint = Samples::Clock::time_point;

std::string JsonText(const std::string& text) {
  return boost::json::serialize(boost::json::string(OneLine(text)));
}

bool HasBegun(const ClientResult& result) { return result.begin != TimePoint{}; }

double SecondsFrom(TimePoint first, TimePoint time) {
  return std::chrono::duration<double>(time - first).count();
}

void WriteTimes(std::ostream& out, Samples& latencies) {
  if (latencies.count() == 0) return;
  out << ",\"min_us\":" << latencies.MinUs();
  constexpr std::pair<const char*, double> kPercentiles[] = {{"p50", 50}, {"p95", 95}, {"p99", 99}};
  for (const auto& [name, percent] : kPercentiles) {
    if (const std::optional<double> value = latencies.PercentileUs(percent)) {
      out << ",\"" << name << "_us\":" << *value;
    }
  }
  out << ",\"max_us\":" << latencies.MaxUs();
}

void WriteClient(std::ostream& out, ClientResult& result, TimePoint first) {
  if (result.connect.count() > 0) out << ",\"connect_us\":" << result.connect.MaxUs();
  if (HasBegun(result)) {
    out << ",\"start_s\":" << SecondsFrom(first, result.begin)
        << ",\"end_s\":" << SecondsFrom(first, result.end);
  }
  out << ",\"requests\":" << result.latencies.count()
      << ",\"requests_per_s\":" << result.requests_per_second;
  WriteTimes(out, result.latencies);
  out << ",\"errors\":" << (result.error.empty() ? 0 : 1);
  if (!result.error.empty()) out << ",\"error\":" << JsonText(result.error);
}

}  // namespace

void PerClientFile::Append(std::vector<ClientResult>& results) {
  if (!wanted()) return;
  ++iteration_;
  TimePoint first = TimePoint::max();
  for (const ClientResult& result : results) {
    if (HasBegun(result)) first = std::min(first, result.begin);
  }
  std::ofstream file(path_, std::ios::app);
  file << std::setprecision(9);
  for (std::size_t i = 0; i < results.size(); ++i) {
    file << "{\"row\":" << JsonText(row_) << ",\"run\":" << run_ << ",\"iteration\":" << iteration_
         << ",\"client\":" << i;
    WriteClient(file, results[i], first);
    file << "}\n";
  }
  if (!file.flush()) throw std::runtime_error("cannot write to " + path_);
}

}  // namespace rpycbench
