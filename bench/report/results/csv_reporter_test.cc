#include "bench/report/results/csv_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "bench/tests/fake_runs.h"
#include "fixtures/meter/counters.h"

namespace rpycbench {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class CsvReporterTest : public testing::Test {
 protected:
  CsvReporterTest() : reporter_({"a", "b", "c"}) { reporter_.SetOutputStream(&out_); }

  void Report(const std::string& name,
              const std::vector<std::pair<std::string, double>>& counters) {
    compat::Run run = FakeRun(name);
    for (const auto& [counter, value] : counters) run.counters[counter] = value;
    reporter_.ReportRuns({run});
  }

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream in(out_.str());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  std::ostringstream out_;
  CsvReporter reporter_;
};

TEST_F(CsvReporterTest, WritesNothingBeforeTheFirstRow) { EXPECT_EQ(out_.str(), ""); }

TEST_F(CsvReporterTest, EveryRowHasAColumnForEveryCounter) {
  Report("first", {{"b", 2}});
  Report("second", {{"a", 1}, {"c", 3}});
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 3);
  EXPECT_THAT(lines[0], StartsWith("name,iterations,real_time,cpu_time,"));
  EXPECT_THAT(lines[0], EndsWith(",\"a\",\"b\",\"c\""));
  EXPECT_THAT(lines[1], StartsWith("\"first\",4,"));
  EXPECT_THAT(lines[1], EndsWith(",,2,"));
  EXPECT_THAT(lines[2], EndsWith(",1,,3"));
  for (const std::string& line : lines) {
    EXPECT_EQ(std::ranges::count(line, ','), std::ranges::count(lines[0], ',')) << line;
  }
}

TEST_F(CsvReporterTest, ACounterWithoutAColumnIsLeftOut) {
  Report("first", {{"b", 2}});
  Report("second", {{"d", 77}, {"items_per_second", 55}});
  EXPECT_THAT(Lines().at(2), Not(HasSubstr("77")));
  EXPECT_THAT(Lines().at(2), HasSubstr("55"));
}

TEST_F(CsvReporterTest, AFailedRowSaysWhy) {
  reporter_.ReportRuns({FailedRun("broken", "no server")});
  EXPECT_THAT(Lines().at(1), HasSubstr("true,\"no server\""));
}

TEST(SuiteCounters, AreAllThatRowsMaySet) {
  const std::set<std::string> counters = SuiteCounters();
  EXPECT_EQ(counters.size(), counter::kAll.size());
  EXPECT_TRUE(counters.contains(counter::kP50));
  EXPECT_TRUE(counters.contains(counter::kServerRss));
}

}  // namespace
}  // namespace rpycbench
