// Shows how far the run has come: one line on the terminal, rewritten as rows end, such as
// "[12/146] Latency/rpyc_threaded/ping  0:31, about 1:20 left". It sits between the framework and
// the display reporter, and clears its line before that one prints. Without a terminal there is no
// progress line and no such object.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rpycbench {

// Returns "[3/146] <row>  0:31, about 1:20 left", cut to `columns` characters. `done` rows of `all`
// took `elapsed`. The estimate is proportional, and left out until a row has ended.
std::string ProgressLine(std::size_t done, std::size_t all, const std::string& row,
                         std::chrono::seconds elapsed, std::size_t columns);

class Progress : public benchmark::BenchmarkReporter {
 public:
  using Clock = std::chrono::steady_clock;
  // The terminal: `write` writes text to it, the other member returns its width in columns.
  struct Terminal {
    std::function<void(const std::string&)> write;
    std::function<std::size_t()> columns;
  };

  // `rows` are the names in the order in which they run, or empty if that order is not known. `all`
  // is their number. `inner` must outlive this object.
  Progress(BenchmarkReporter& inner, std::vector<std::string> rows, std::size_t all,
           Terminal terminal);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  void Show();
  void Clear();

  BenchmarkReporter& inner_;
  std::vector<std::string> rows_;
  std::size_t all_;
  Terminal terminal_;
  std::size_t done_ = 0;
  Clock::time_point start_;
};

// Returns a Progress around `inner` if stderr is a terminal, otherwise null.
std::unique_ptr<Progress> MakeProgress(benchmark::BenchmarkReporter& inner,
                                       std::vector<std::string> rows, std::size_t all);

}  // namespace rpycbench
