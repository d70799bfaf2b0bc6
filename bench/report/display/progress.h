// How far the run has come, for whoever watches it: one line on the terminal that is written over
// as rows end, "[12/146] Latency/rpyc_threaded/ping  0:31, about 1:20 left". It stands between the
// framework and the display reporter, whose lines it makes room for. Without a terminal nothing of
// it is to be seen, and there is none of these then.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rpycbench {

// "[3/146] <row>  0:31, about 1:20 left", no longer than `columns` characters. `done` rows of `all`
// took `elapsed`; the estimate is proportional, and missing as long as no row has ended.
std::string ProgressLine(std::size_t done, std::size_t all, const std::string& row,
                         std::chrono::seconds elapsed, std::size_t columns);

class Progress : public benchmark::BenchmarkReporter {
 public:
  using Clock = std::chrono::steady_clock;
  // What is behind it: writes text to the terminal, and tells how wide that is.
  struct Terminal {
    std::function<void(const std::string&)> write;
    std::function<std::size_t()> columns;
  };

  // `rows` are the names in the order in which they run, or, if that is not known, empty; `all` is
  // their number. `inner` must outlive this.
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

// Around `inner` if stderr is a terminal; null if not.
std::unique_ptr<Progress> MakeProgress(benchmark::BenchmarkReporter& inner,
                                       std::vector<std::string> rows, std::size_t all);

}  // namespace rpycbench
