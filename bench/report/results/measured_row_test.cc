#include "bench/report/results/measured_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "bench/tests/fake_runs.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

compat::Run RunOf(double p50, const std::string& label, int repetition = 0, int repetitions = 1) {
  compat::Run run = FakeRun("Latency/rpyc_threaded/echo/64/real_time", repetition, repetitions);
  run.counters["p50_us"] = p50;
  run.report_label = label;
  return run;
}

TEST(SplitNameTest, DropsWhatTheFrameworkAppends) {
  const RowName name = SplitName("BinaryTransfer/tcp_forking/upload/1024/iterations:10/real_time");
  EXPECT_EQ(name.type, "BinaryTransfer");
  EXPECT_EQ(name.rest, "tcp_forking/upload/1024");
  EXPECT_EQ(name.mode(), "tcp_forking");
  EXPECT_EQ(name.operation(), "upload/1024");
  EXPECT_EQ(SplitName("Connection/tcp_async/manual_time").operation(), "");
  EXPECT_EQ(SplitName("SharedConnection/rpyc_async/threads:2/manual_time").operation(), "threads:2");
  EXPECT_EQ(SplitName("Latency/tcp_async/ping/real_time/threads:4").operation(), "ping");
  EXPECT_EQ(SplitName("Floor").rest, "");
  EXPECT_EQ(SplitName("a/real_timer/b").rest, "real_timer/b");
}

TEST(SummarizeTest, TakesLabelAndDoubtsApart) {
  const MeasuredRow row = Summarize({RunOf(5, "placement=free doubts=stalls:3,steal:4% x= y")});
  EXPECT_THAT(row.labels, ElementsAre(Pair("placement", "free"), Pair("x", ""), Pair("y", "")));
  EXPECT_THAT(row.doubts, ElementsAre("stalls:3", "steal:4%"));
  EXPECT_EQ(row.Get("p50_us"), 5);
  EXPECT_EQ(row.Get("p99_us"), std::nullopt);
  EXPECT_EQ(row.variation, std::nullopt);
  EXPECT_EQ(row.real_time_us, 500'000);
  EXPECT_THAT(row.errors, IsEmpty());
}

TEST(SummarizeTest, TakesTheMediansOfRepetitions) {
  const MeasuredRow row = Summarize({RunOf(9, "a=1", 0, 3), RunOf(3, "a=1 doubts=stalls:1", 1, 3),
                                     RunOf(6, "a=1 doubts=stalls:2", 2, 3)});
  EXPECT_EQ(row.Get("p50_us"), 6);
  EXPECT_DOUBLE_EQ(row.variation.value(), 0.5);
  EXPECT_THAT(row.doubts, ElementsAre("stalls:2of3"));
  EXPECT_EQ(Summarize({RunOf(2, ""), RunOf(3, "")}).Get("p50_us"), 2.5);
}

TEST(SummarizeTest, CountsRepetitionsThatFailed) {
  const std::string name = "Latency/rpyc_threaded/echo/64/real_time";
  const MeasuredRow row = Summarize(
      {FailedRun(name, "wrong", 0, 3), RunOf(7, "a=1", 1, 3), FailedRun(name, "wrong", 2, 3)});
  EXPECT_FALSE(row.failed);
  EXPECT_EQ(row.Get("p50_us"), 7);
  EXPECT_THAT(row.doubts, ElementsAre("failed:2of3"));
  EXPECT_THAT(row.errors, ElementsAre("wrong"));
  EXPECT_TRUE(Summarize({FailedRun(name, "refused \xff\033[31m")}).failed);
  EXPECT_THAT(Summarize({FailedRun(name, "\xff\033[31m")}).errors, ElementsAre("??[31m"));
}

TEST(SummarizeTest, LeavesOutWhatIsNoNumber) {
  EXPECT_EQ(Summarize({RunOf(std::numeric_limits<double>::quiet_NaN(), "")}).Get("p50_us"),
            std::nullopt);
}

}  // namespace
}  // namespace rpycbench
