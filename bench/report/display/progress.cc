#include "bench/report/display/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "bench/report/display/readable_units.h"
#include "bench/report/display/terminal.h"

namespace rpycbench {
namespace {

constexpr char kEmptyLine[] = "\r\033[K";
constexpr std::size_t kUsualColumns = 80;

}  // namespace

std::string ProgressLine(std::size_t done, std::size_t all, const std::string& row,
                         std::chrono::seconds elapsed, std::size_t columns) {
  const std::string place =
      '[' + std::to_string(std::min(done + 1, all)) + '/' + std::to_string(all) + ']';
  std::string time = "  " + MinutesAndSeconds(elapsed);
  if (done > 0) {
    const auto left = elapsed.count() * static_cast<long long>(all - std::min(done, all)) /
                      static_cast<long long>(done);
    time += ", about " + MinutesAndSeconds(std::chrono::seconds(left)) + " left";
  }
  const std::string name = row.empty() ? row : ' ' + row;
  const std::size_t taken = place.size() + time.size();
  if (taken > columns) return place.substr(0, columns);
  return place + name.substr(0, columns - taken) + time;
}

Progress::Progress(BenchmarkReporter& inner, std::vector<std::string> rows, std::size_t all,
                   Terminal terminal)
    : inner_(inner),
      rows_(std::move(rows)),
      all_(all),
      terminal_(std::move(terminal)),
      start_(Clock::now()) {}

bool Progress::ReportContext(const Context& context) {
  const bool go_on = inner_.ReportContext(context);
  Show();
  return go_on;
}

void Progress::ReportRuns(const std::vector<Run>& runs) {
  Clear();
  inner_.ReportRuns(runs);
  if (!runs.empty() && runs.front().run_type == Run::RT_Iteration) ++done_;
  Show();
}

void Progress::Finalize() {
  Clear();
  inner_.Finalize();
}

void Progress::Show() {
  if (done_ >= all_) return;
  std::cout.flush();  // because what the display has written appears above
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
  // One column stays free, for a cursor that would begin another line.
  const std::size_t columns = std::max<std::size_t>(terminal_.columns(), 2) - 1;
  terminal_.write(kEmptyLine + ProgressLine(done_, all_, done_ < rows_.size() ? rows_[done_] : "",
                                            elapsed, columns));
}

void Progress::Clear() { terminal_.write(kEmptyLine); }

std::unique_ptr<Progress> MakeProgress(benchmark::BenchmarkReporter& inner,
                                       std::vector<std::string> rows, std::size_t all) {
  if (!IsTerminal(STDERR_FILENO)) return nullptr;
  return std::make_unique<Progress>(
      inner, std::move(rows), all,
      Progress::Terminal{[](const std::string& text) {
                           std::fputs(text.c_str(), stderr);
                           std::fflush(stderr);
                         },
                         [] { return TerminalColumns(STDERR_FILENO, kUsualColumns); }});
}

}  // namespace rpycbench
