// Several reporters as one. The framework itself knows a reporter for the display and one for a
// file, and demands an open file for the latter.
#pragma once

#include <benchmark/benchmark.h>

#include <utility>
#include <vector>

namespace rpycbench {

class Reporters : public benchmark::BenchmarkReporter {
 public:
  // They must outlive this object.
  explicit Reporters(std::vector<BenchmarkReporter*> inner) : inner_(std::move(inner)) {}

  bool ReportContext(const Context& context) override {
    bool go_on = true;
    for (BenchmarkReporter* reporter : inner_) go_on = reporter->ReportContext(context) && go_on;
    return go_on;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (BenchmarkReporter* reporter : inner_) reporter->ReportRuns(runs);
  }
  void Finalize() override {
    for (BenchmarkReporter* reporter : inner_) reporter->Finalize();
  }

 private:
  std::vector<BenchmarkReporter*> inner_;
};

}  // namespace rpycbench
