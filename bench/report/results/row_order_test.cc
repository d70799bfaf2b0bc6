#include "bench/report/results/row_order.h"

#include <gtest/gtest.h>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

class Names : public benchmark::BenchmarkReporter {
 public:
  explicit Names(std::string& seen) : seen_(seen) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    seen_ += runs.front().benchmark_name() + ' ';
  }
  void Finalize() override { seen_ += "end"; }

 private:
  std::string& seen_;
};

TEST(RowOrderTest, ReportsInTheOrderOfTheNamesWhenAllHaveEnded) {
  std::string seen;
  RowOrder order(std::make_unique<Names>(seen), {"a", "b", "c"});
  for (const char* name : {"unknown", "c", "a"}) {
    order.ReportRuns({FakeRun(name)});
    order.ReportRuns({FakeAggregate(name, "mean")});
  }
  order.ReportRuns({FakeRun("b")});
  EXPECT_EQ(seen, "");
  order.Finalize();
  EXPECT_EQ(seen, "a a_mean b c c_mean unknown unknown_mean end");
}

}  // namespace
}  // namespace rpycbench
