#include "bench/report/results/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps the names of reported rows.
class Recorder : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      names_.push_back(run.benchmark_name());
      labels_.push_back(run.report_label);
      if (compat::Failed(run)) messages_.push_back(compat::ErrorMessage(run));
    }
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& labels() const { return labels_; }
  const std::vector<std::string>& messages() const { return messages_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> labels_;
  std::vector<std::string> messages_;
};

compat::Run LabelledRun(const std::string& name, const std::string& label) {
  compat::Run run = FakeRun(name);
  run.report_label = label;
  return run;
}

TEST(RowFilter, PassesEverythingOn) {
  Recorder recorder;
  RowFilter filter(recorder, {});
  filter.ReportRuns({FakeRun("a", 0, 2), FakeRun("a", 1, 2)});
  filter.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "a", "a_mean"));
  EXPECT_EQ(filter.failed_rows(), 0);
}

TEST(RowFilter, CountsRowsNotRepetitions) {
  Recorder recorder;
  RowFilter filter(recorder, {});
  filter.ReportRuns({FailedRun("a", "x", 0, 2), FailedRun("a", "x", 1, 2)});
  filter.ReportRuns({FakeRun("b")});
  filter.ReportRuns({FailedRun("c", "x")});
  EXPECT_EQ(filter.failed_rows(), 2);
  EXPECT_EQ(recorder.names().size(), 4);
}

TEST(RowFilter, KeepsAggregatesAndFailuresWhenAskedForAggregates) {
  Recorder recorder;
  RowFilter filter(recorder, {.aggregates_only = true});
  filter.ReportRuns({FakeRun("a", 0, 3), FailedRun("a", "x", 1, 3), FakeRun("a", 2, 3)});
  filter.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "a_mean"));
  EXPECT_EQ(filter.failed_rows(), 1);
}

TEST(RowFilter, ReportsARowThatHasNoAggregates) {
  Recorder recorder;
  RowFilter filter(recorder, {.aggregates_only = true});
  filter.ReportRuns({FakeRun("a")});
  filter.ReportRuns({FakeRun("b", 0, 2), FailedRun("b", "x", 1, 2)});
  EXPECT_THAT(recorder.names(), ElementsAre("a", "b", "b"));
}

TEST(RowFilter, DoubtsAreErrorsWhereItIsStrict) {
  for (const bool strict : {false, true}) {
    Recorder recorder;
    RowFilter filter(recorder, {.strict = strict});
    filter.ReportRuns({LabelledRun("a", "placement=free")});
    filter.ReportRuns({LabelledRun("b", "placement=free doubts=stalls:3")});
    EXPECT_EQ(filter.failed_rows(), strict ? 1 : 0);
    EXPECT_EQ(recorder.messages(),
              strict ? std::vector<std::string>{"doubts=stalls:3"} : std::vector<std::string>{});
  }
}

TEST(RowFilter, AggregatesHaveTheirRepetitionsLabelAndTheirDoubtsCounted) {
  Recorder recorder;
  RowFilter filter(recorder, {});
  filter.ReportRuns({LabelledRun("a", "x=1 doubts=stalls:3,spread:60%"), LabelledRun("a", "x=1"),
                     LabelledRun("a", "x=1 doubts=spread:70%")});
  filter.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_EQ(recorder.labels().back(), "x=1 doubts=spread:2of3,stalls:1of3");
  filter.ReportRuns({LabelledRun("b", "x=1"), LabelledRun("b", "x=1")});
  filter.ReportRuns({FakeAggregate("b", "mean")});
  EXPECT_EQ(recorder.labels().back(), "x=1");
}

TEST(RowFilter, TakesAnEmptyReport) {
  Recorder recorder;
  RowFilter filter(recorder, {.aggregates_only = true});
  filter.ReportRuns({});
  EXPECT_THAT(recorder.names(), IsEmpty());
}

}  // namespace
}  // namespace rpycbench
