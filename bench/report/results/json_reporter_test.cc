#include "bench/report/results/json_reporter.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>
#include <sstream>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

// Returns the only row of a document with the given runs.
boost::json::array RowsOf(const std::vector<compat::Run>& runs) {
  std::ostringstream out;
  JsonReporter reporter;
  reporter.SetOutputStream(&out);
  reporter.ReportContext({});
  reporter.ReportRuns(runs);
  reporter.Finalize();
  return boost::json::parse(out.str()).at("benchmarks").as_array();
}

TEST(JsonReporter, LeavesOutCountersThatAreNoNumbers) {
  compat::Run run = FakeRun("row");
  run.counters["nan"] = std::numeric_limits<double>::quiet_NaN();
  run.counters["infinity"] = std::numeric_limits<double>::infinity();
  run.counters["number"] = 1.5;
  const boost::json::array rows = RowsOf({run});
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].at("number"), 1.5);
  EXPECT_FALSE(rows[0].as_object().contains("nan"));
  EXPECT_FALSE(rows[0].as_object().contains("infinity"));
}

TEST(JsonReporter, LeavesOutRunsWhoseTimeIsNoNumber) {
  compat::Run run = FakeAggregate("row", "cv");
  run.cpu_accumulated_time = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(RowsOf({run}).size(), 0);
  EXPECT_EQ(RowsOf({run, FakeRun("other")}).size(), 1);
}

TEST(JsonReporter, WritesMessagesOfAnyBytes) {
  const boost::json::array rows = RowsOf({FailedRun("row", "\x1b[31m \"\xff\"\n")});
  EXPECT_EQ(rows.at(0).at("error_message").as_string(), "?[31m \"?\"\n");
}

}  // namespace
}  // namespace rpycbench
