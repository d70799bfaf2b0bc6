#include "bench/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/fake_runs.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps the names of what is reported.
class Recorder : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) names_.push_back(run.benchmark_name());
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

TEST(RowFilter, PassesEverythingOn) {
  Recorder recorder;
  RowFilter filter(recorder, false);
  filter.ReportRuns({FakeRun("a", 0, 2), FakeRun("a", 1, 2)});
  filter.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "a", "a_mean"));
  EXPECT_EQ(filter.failed_rows(), 0);
}

TEST(RowFilter, CountsRowsNotRepetitions) {
  Recorder recorder;
  RowFilter filter(recorder, false);
  filter.ReportRuns({FailedRun("a", "x", 0, 2), FailedRun("a", "x", 1, 2)});
  filter.ReportRuns({FakeRun("b")});
  filter.ReportRuns({FailedRun("c", "x")});
  EXPECT_EQ(filter.failed_rows(), 2);
  EXPECT_EQ(recorder.names().size(), 4);
}

TEST(RowFilter, KeepsAggregatesAndFailuresWhenAskedForAggregates) {
  Recorder recorder;
  RowFilter filter(recorder, true);
  filter.ReportRuns({FakeRun("a", 0, 3), FailedRun("a", "x", 1, 3), FakeRun("a", 2, 3)});
  filter.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "a_mean"));
  EXPECT_EQ(filter.failed_rows(), 1);
}

TEST(RowFilter, ReportsARowThatHasNoAggregates) {
  Recorder recorder;
  RowFilter filter(recorder, true);
  filter.ReportRuns({FakeRun("a")});
  filter.ReportRuns({FakeRun("b", 0, 2), FailedRun("b", "x", 1, 2)});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "b", "b"));
}

TEST(RowFilter, TakesAnEmptyReport) {
  Recorder recorder;
  RowFilter filter(recorder, true);
  filter.ReportRuns({});
  EXPECT_THAT(recorder.names(), IsEmpty());
}

}  // namespace
}  // namespace rpycbench
