#include "bench/report/results/json_reporter.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>
#include <sstream>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

// The only row of a document with the given runs.
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

TEST(PrintableText, KeepsText) {
  const std::string text = "Grüße, €, 𝄞\n\tdone";
  EXPECT_EQ(PrintableText(text), text);
}

TEST(PrintableText, ReplacesWhatIsNone) {
  EXPECT_EQ(PrintableText(std::string("a\0b\x7f\x1b", 5)), "a?b??");
  EXPECT_EQ(PrintableText("\xc2\x9b\x33\xc2\xa0"), "??3\xc2\xa0");  // a terminal's CSI; a blank
  EXPECT_EQ(PrintableText("\xff\xc3"), "??");                       // no first byte; cut short
  EXPECT_EQ(PrintableText("\xc0\xaf"), "??");                       // overlong
  EXPECT_EQ(PrintableText("\xe0\x80\xaf"), "???");                  // overlong
  EXPECT_EQ(PrintableText("\xed\xa0\x80"), "???");                  // a surrogate
  EXPECT_EQ(PrintableText("\xf4\x90\x80\x80"), "????");             // beyond the last code point
  EXPECT_EQ(PrintableText("\xe2\x82x"), "??x");
}

}  // namespace
}  // namespace rpycbench
