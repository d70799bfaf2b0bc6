#include "bench/report/results/distribution_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "bench/tests/fake_runs.h"
#include "fixtures/testing/temporary_folder.h"
#include "fixtures/usage_error.h"

namespace rpycbench {
namespace {

using std::chrono::nanoseconds;
using testing::ElementsAre;

class DistributionFilesTest : public testing::Test {
 protected:
  DistributionFilesTest() {
    options_.histogram_file = folder_ / "log";
    options_.samples_file = folder_ / "samples";
    options_.percentiles_folder = folder_ / "new" / "folder";
  }

  // Keeps two calls of a row, which began 100 and 200 ns after the clock did.
  void Keep(const std::string& row) {
    Distribution distribution{.samples = Samples(true), .loop_calls = 1};
    for (const int ns : {200, 100}) {
      distribution.samples.Add({Samples::Clock::time_point(nanoseconds(ns)), nanoseconds(ns * 2)});
    }
    distributions_.Keep(row, 4, distribution);
  }
  void Report(const std::vector<std::vector<compat::Run>>& reports) {
    DistributionFiles files(options_, distributions_);
    ASSERT_TRUE(files.ReportContext({}));
    for (const auto& runs : reports) files.ReportRuns(runs);
    files.Finalize();
  }

  TemporaryFolder folder_;
  Options options_;
  Distributions distributions_;
};

TEST_F(DistributionFilesTest, SamplesAreInOrder) {
  Keep("Type/mode/ping");
  Report({{FakeRun("Type/mode/ping/real_time")}});
  const std::string text = ReadFile(folder_ / "samples");
  const std::string head =
      R"({"name":"Type/mode/ping/real_time","repetition_index":0,"calls":2,"loop_calls":1})"
      "\n";
  ASSERT_EQ(text.substr(0, head.size()), head);
  std::array<std::int64_t, 4> numbers;
  ASSERT_EQ(text.size(), head.size() + sizeof numbers);
  std::memcpy(numbers.data(), text.data() + head.size(), sizeof numbers);
  EXPECT_EQ(numbers[1] - numbers[0], 100);
  EXPECT_EQ(numbers[2], 200);
  EXPECT_EQ(numbers[3], 400);
}

TEST_F(DistributionFilesTest, RepetitionsAreEntriesAndOneTable) {
  Keep("Type/mode/clients:2");
  Keep("Type/mode/clients:2");
  const std::string name = "Type/mode/clients:2/real_time";
  Report({{FakeRun(name, 0, 2), FakeRun(name, 1, 2)}, {FakeAggregate(name, "mean")}});
  const std::string log = ReadFile(folder_ / "log");
  const std::string tag = "\nTag=" + name + ",";
  EXPECT_NE(log.find(tag), log.rfind(tag));
  EXPECT_THAT(ReadFile(folder_ / "new/folder/Type.mode.clients-2.hgrm"),
              testing::HasSubstr("Total count    =            4]"));
}

TEST_F(DistributionFilesTest, AFailedRowIsLeftOutAndForgotten) {
  Keep("Type/mode/a");
  Keep("Type/mode/a");
  Keep("Type/mode/b");
  Report({{FakeRun("Type/mode/a", 0, 2), FailedRun("Type/mode/a", "lost", 1, 2)},
          {FakeRun("Type/mode/b")}});
  EXPECT_TRUE(distributions_.Take("Type/mode/a").empty());
  EXPECT_THAT(ReadFile(folder_ / "log"), testing::Not(testing::HasSubstr("Type/mode/a")));
  EXPECT_THAT(ReadFile(folder_ / "log"), testing::HasSubstr("Tag=Type/mode/b,"));
}

TEST_F(DistributionFilesTest, ARowWithoutSamplesHasNoEntry) {
  Report({{FakeRun("Type/mode/a")}});
  EXPECT_EQ(ReadFile(folder_ / "samples"), "");
}

TEST_F(DistributionFilesTest, APlaceThatCannotBeWrittenIsAnError) {
  options_.percentiles_folder = folder_ / "log" / "folder";
  std::ofstream(folder_ / "log") << "a file";
  EXPECT_THROW(DistributionFiles(options_, distributions_), UsageError);
}

}  // namespace
}  // namespace rpycbench
