// Holds reported rows until the end, then passes them on in the order of their names. It serves
// runs in random order, whose rows end in any order.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rpycbench {

class RowOrder : public benchmark::BenchmarkReporter {
 public:
  // `rows` are the names in the desired order. Rows that are not among them come last.
  RowOrder(std::unique_ptr<BenchmarkReporter> inner, std::vector<std::string> rows)
      : inner_(std::move(inner)), rows_(std::move(rows)) {}

  bool ReportContext(const Context& context) override { return inner_->ReportContext(context); }
  void ReportRuns(const std::vector<Run>& runs) override { held_.push_back(runs); }
  void Finalize() override;

 private:
  std::unique_ptr<BenchmarkReporter> inner_;
  std::vector<std::string> rows_;
  std::vector<std::vector<Run>> held_;
};

}  // namespace rpycbench
