#include "bench/report/display/progress.h"

#include <gtest/gtest.h>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

using std::chrono::seconds;

TEST(ProgressLineTest, SaysWhichRowRunsSinceWhenAndForHowLong) {
  EXPECT_EQ(ProgressLine(0, 4, "a/b", seconds(0), 80), "[1/4] a/b  0:00");
  EXPECT_EQ(ProgressLine(1, 4, "a/b", seconds(30), 80), "[2/4] a/b  0:30, about 1:30 left");
  EXPECT_EQ(ProgressLine(3, 4, "", seconds(3661), 80), "[4/4]  61:01, about 20:20 left");
}

TEST(ProgressLineTest, IsNeverLongerThanTheTerminal) {
  const std::string row(200, 'x');
  for (std::size_t columns = 1; columns < 100; ++columns) {
    EXPECT_LE(ProgressLine(10, 400, row, seconds(100), columns).size(), columns);
  }
  EXPECT_EQ(ProgressLine(1, 4, "Latency/tcp", seconds(30), 36),
            "[2/4] Latency  0:30, about 1:30 left");
}

// Writes a word for each report.
class Words : public benchmark::BenchmarkReporter {
 public:
  explicit Words(std::string& screen) : screen_(screen) {}
  bool ReportContext(const Context&) override {
    screen_ += "context\n";
    return true;
  }
  void ReportRuns(const std::vector<Run>& runs) override {
    screen_ += runs.front().benchmark_name() + '\n';
  }
  void Finalize() override { screen_ += "end\n"; }

 private:
  std::string& screen_;
};

TEST(ProgressTest, MakesRoomForTheDisplayAndCountsRowsNotReports) {
  std::string screen;
  Words words(screen);
  Progress progress(words, {"a", "b"}, 2,
                    {[&](const std::string& text) { screen += text; }, [] { return 80u; }});
  const std::string empty = "\r\033[K";
  progress.ReportContext(benchmark::BenchmarkReporter::Context());
  EXPECT_EQ(screen, "context\n" + empty + "[1/2] a  0:00");
  screen.clear();
  progress.ReportRuns({FakeRun("a", 0, 2), FakeRun("a", 1, 2)});
  EXPECT_EQ(screen, empty + "a\n" + empty + "[2/2] b  0:00, about 0:00 left");
  screen.clear();
  progress.ReportRuns({FakeAggregate("a", "mean")});
  EXPECT_EQ(screen, empty + "a_mean\n" + empty + "[2/2] b  0:00, about 0:00 left");
  screen.clear();
  progress.ReportRuns({FakeRun("b")});
  progress.Finalize();
  EXPECT_EQ(screen, empty + "b\n" + empty + "end\n");
}

}  // namespace
}  // namespace rpycbench
