#include "bench/report/results/result_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "bench/report/results/csv_reporter.h"
#include "bench/tests/fake_runs.h"
#include "fixtures/testing/temporary_folder.h"
#include "fixtures/usage_error.h"
#include "servers/net/descriptor.h"
#include "servers/net/testing/message_of.h"

namespace {

std::set<std::pair<dev_t, ino_t>> synced;

std::pair<dev_t, ino_t> IdentityOf(const std::filesystem::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

}  // namespace

// Takes the place of the C library's function, for all of this program.
extern "C" int fsync(int file) {
  struct stat status;
  if (::fstat(file, &status) != 0) return -1;
  synced.insert({status.st_dev, status.st_ino});
  return 0;
}

namespace rpycbench {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ResultFileTest : public testing::Test {
 protected:
  fs::path path() const { return folder_ / "out.json"; }

  // Throws unless the file is a complete JSON document.
  boost::json::value Document() const { return boost::json::parse(ReadFile(path())); }

  std::vector<std::string> Names(const char* list) const {
    std::vector<std::string> names;
    const boost::json::value document = Document();
    for (const auto& item : document.at(list).as_array()) {
      names.emplace_back(item.at("name").as_string());
    }
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(ResultFileTest, TheContextHasTheDescription) {
  ResultFile file(path(), {{"types", {{"name", "A {\"context\"} of its own"}}}});
  ASSERT_TRUE(file.ReportContext({}));
  file.ReportRuns({FakeRun("a")});
  const boost::json::value document = Document();
  EXPECT_EQ(document.at("context").at("description").at("types").at("name").as_string(),
            "A {\"context\"} of its own");
  EXPECT_TRUE(document.at("context").as_object().contains("num_cpus"));
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
}

TEST_F(ResultFileTest, IsAWholeDocumentAtEveryMoment) {
  ResultFile file(path());
  EXPECT_THAT(folder_.Files(), IsEmpty());
  ASSERT_TRUE(file.ReportContext({}));
  EXPECT_THAT(Names("benchmarks"), IsEmpty());
  EXPECT_TRUE(Document().at("context").as_object().contains("num_cpus"));
  file.ReportRuns({FakeRun("a")});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
  file.ReportRuns({FakeRun("b", 0, 2), FakeRun("b", 1, 2)});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a", "b", "b"));
  file.ReportRuns({FakeAggregate("b", "mean")});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a", "b", "b", "b_mean"));
  file.Finalize();
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a", "b", "b", "b_mean"));
  EXPECT_THAT(Names("errors"), IsEmpty());
  EXPECT_THAT(folder_.Files(), ElementsAre("out.json"));
}

// As if the file were a separate mount, or the folder belonged to another user. Root may write to
// such a folder.
TEST_F(ResultFileTest, IsWrittenOverWhereNoRenameCanGo) {
  std::ofstream(path()) << "{}";
  fs::create_directory(folder_ / ".out.json.partial");  // no file replaces a folder
  std::ofstream(folder_ / ".out.json.partial" / "kept") << "x";
  ResultFile file(path());
  ASSERT_TRUE(file.ReportContext({}));
  file.ReportRuns({FakeRun("a")});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
  file.Finalize();
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
}

TEST_F(ResultFileTest, FollowsNoLinkThatSomebodyLeft) {
  std::ofstream(folder_ / "precious") << "precious";
  fs::create_symlink(folder_ / "precious", folder_ / ".out.json.partial");
  ResultFile file(path());
  ASSERT_TRUE(file.ReportContext({}));
  EXPECT_EQ(ReadFile(folder_ / "precious"), "precious");
  EXPECT_THAT(Names("benchmarks"), IsEmpty());
}

TEST_F(ResultFileTest, RowsAreAsTheFrameworkWritesThem) {
  std::ostringstream expected;
  benchmark::JSONReporter reporter;
  reporter.SetOutputStream(&expected);
  reporter.ReportContext({});
  ResultFile file(path());
  file.ReportContext({});
  for (const char* name : {"a", "b"}) {
    compat::Run run = FakeRun(name);
    run.counters["p50_us"] = 1.25;
    run.report_label = "placement=shared";
    reporter.ReportRuns({run});
    file.ReportRuns({run});
  }
  reporter.Finalize();
  EXPECT_EQ(Document().at("benchmarks"), boost::json::parse(expected.str()).at("benchmarks"));
}

TEST_F(ResultFileTest, FailedRowsStandApart) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FailedRun("broken", "said \"no\"\n\xff")});
  EXPECT_THAT(Names("benchmarks"), IsEmpty());
  file.ReportRuns({FakeRun("good")});
  file.ReportRuns({FailedRun("worse", "gone")});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("good"));
  EXPECT_THAT(Names("errors"), ElementsAre("broken", "worse"));
  EXPECT_EQ(Document().at("errors").at(0).at("message").as_string(), "said \"no\"\n?");
}

TEST_F(ResultFileTest, ARowWithAFailedRepetitionHasNoResult) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FakeRun("flaky", 0, 3), FakeRun("flaky", 1, 3), FailedRun("flaky", "x", 2, 3)});
  file.ReportRuns({FakeAggregate("flaky", "mean"), FakeAggregate("flaky", "median")});
  file.ReportRuns({FakeRun("flaky_not")});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("flaky_not"));
  EXPECT_THAT(Names("errors"), ElementsAre("flaky"));
}

TEST_F(ResultFileTest, AnEarlierFileStaysUntilTheContextIsReported) {
  std::ofstream(path()) << "earlier";
  ResultFile file(path());
  EXPECT_EQ(ReadFile(path()), "earlier");
  file.ReportContext({});
  EXPECT_THAT(Names("benchmarks"), IsEmpty());
}

TEST_F(ResultFileTest, ASymbolicLinkStaysOneAndItsTargetHasTheResult) {
  fs::create_directory(folder_ / "elsewhere");
  const fs::path target = folder_ / "elsewhere" / "real.json";
  for (const bool exists : {true, false}) {
    SCOPED_TRACE(exists);
    fs::remove(target);
    fs::remove(path());
    if (exists) std::ofstream(target) << "earlier";
    fs::create_symlink("elsewhere/link.json", path());
    fs::remove(folder_ / "elsewhere" / "link.json");
    fs::create_symlink("real.json", folder_ / "elsewhere" / "link.json");
    CheckOutputPath(path());
    ResultFile file(path());
    file.ReportContext({});
    file.ReportRuns({FakeRun("a")});
    file.Finalize();
    EXPECT_TRUE(fs::is_symlink(path()));
    EXPECT_TRUE(fs::is_symlink(folder_ / "elsewhere" / "link.json"));
    EXPECT_FALSE(fs::is_symlink(target));
    EXPECT_THAT(ReadFile(target), HasSubstr("\"a\""));
    EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
  }
}

TEST_F(ResultFileTest, AFileThatIsReplacedKeepsItsMode) {
  for (const mode_t mode : {0600u, 0666u, 0640u}) {
    std::ofstream(path()) << "earlier";
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    ResultFile file(path());
    file.ReportContext({});
    file.ReportRuns({FakeRun("a")});
    file.Finalize();
    struct stat status;
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode);
    EXPECT_THAT(Names("benchmarks"), ElementsAre("a"));
  }
}

TEST_F(ResultFileTest, ANewFileHasTheModeOfAnyNewFile) {
  std::ofstream(folder_ / "other") << "x";
  ResultFile file(path());
  file.ReportContext({});
  EXPECT_EQ(fs::status(path()).permissions(), fs::status(folder_ / "other").permissions());
}

// Root may give a file to anybody. Another user stays the owner, which is no less right.
TEST_F(ResultFileTest, AFileThatIsReplacedKeepsItsOwner) {
  const auto owner = [this] {
    struct stat status = {};
    ::stat(path().c_str(), &status);
    return std::pair(status.st_uid, status.st_gid);
  };
  std::ofstream(path()) << "earlier";
  const int given = ::chown(path().c_str(), 4711, 4712);
  const auto before = owner();
  EXPECT_EQ(before.first == 4711, given == 0);
  ResultFile file(path());
  file.ReportContext({});
  EXPECT_EQ(owner(), before);
}

TEST_F(ResultFileTest, ANameMayHaveAsManyBytesAsTheFileSystemTakes) {
  for (const std::size_t length : {246u, 247u, 250u, 255u}) {
    const fs::path path = folder_ / std::string(length, 'n');
    CheckOutputPath(path);
    ResultFile file(path);
    file.ReportContext({});
    file.ReportRuns({FakeRun("a")});
    file.Finalize();
    EXPECT_THAT(ReadFile(path), HasSubstr("\"a\"")) << length;
    EXPECT_THAT(folder_.Files(), ElementsAre(path.filename()));
    fs::remove(path);
  }
}

// Rows do not wait for the disk, or the next ones would be measured beside its work.
TEST_F(ResultFileTest, OnlyTheEndOfARunWaitsForTheDisk) {
  ResultFile json(path());
  TextFile text(folder_ / "out.csv", std::make_unique<CsvReporter>(SuiteCounters()));
  for (benchmark::BenchmarkReporter* file :
       std::initializer_list<benchmark::BenchmarkReporter*>{&json, &text}) {
    synced.clear();
    file->ReportContext({});
    file->ReportRuns({FakeRun("a")});
    EXPECT_THAT(synced, IsEmpty());
    file->Finalize();
    EXPECT_THAT(synced, Contains(IdentityOf(file == &json ? path() : folder_ / "out.csv")));
    EXPECT_THAT(synced, Contains(IdentityOf(folder_.path()))) << "the file's name";
  }
}

TEST_F(ResultFileTest, SomethingOtherThanARegularFileIsWrittenOnce) {
  ResultFile file("/dev/null");
  file.ReportContext({});
  file.ReportRuns({FakeRun("a")});
  file.Finalize();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

compat::Run Doubtful(const char* name, const char* doubt, double p50_us) {
  compat::Run run = FakeRun(name);
  run.report_label = std::string("placement=shared doubts=") + doubt;
  run.counters["p50_us"] = p50_us;
  return run;
}

TEST_F(ResultFileTest, TheFinalRowsReplaceTheEarlierOnes) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({Doubtful("a", "stalls:3", 1)});
  file.ReportRuns({FailedRun("broken", "gone")});
  file.ReportRuns({Doubtful("b", "spread:60%", 2)});
  const std::string before = ReadFile(path());
  const boost::json::object probe{{"quiet_us", 4.5}, {"us", {4.25, nullptr}}};
  file.Finish(
      [&](benchmark::BenchmarkReporter& again) {
        compat::Run calm = FakeRun("a");
        calm.counters["p50_us"] = 11;
        again.ReportRuns({calm});
        again.ReportRuns({FailedRun("broken", "gone")});
        again.ReportRuns({Doubtful("b", "ratio_interval:2%", 12)});
        EXPECT_EQ(ReadFile(path()), before) << "half of the rows are no result";
      },
      probe);
  for (const bool finalized : {false, true}) {
    if (finalized) file.Finalize();
    const boost::json::value document = Document();
    EXPECT_THAT(Names("benchmarks"), ElementsAre("a", "b"));
    EXPECT_EQ(document.at("benchmarks").at(0).at("p50_us").to_number<double>(), 11);
    EXPECT_EQ(document.at("benchmarks").at(1).at("p50_us").to_number<double>(), 12);
    EXPECT_THAT(Names("errors"), ElementsAre("broken"));
    EXPECT_THAT(Names("doubts"), ElementsAre("b"));
    EXPECT_EQ(document.at("doubts").at(0).at("doubts"), boost::json::array{"ratio_interval:2%"});
    EXPECT_EQ(document.at("probe"), probe);
    EXPECT_TRUE(document.at("context").as_object().contains("num_cpus"));
  }
  EXPECT_THAT(folder_.Files(), ElementsAre("out.json"));
}

TEST_F(ResultFileTest, FinalRowsNeedNoEarlierOnes) {
  ResultFile file(path());
  file.ReportContext({});
  file.Finish(
      [](benchmark::BenchmarkReporter& again) {
        again.ReportRuns({FakeRun("a")});
        again.ReportRuns({FakeRun("b")});
      },
      {{"quiet_us", 4.5}});
  EXPECT_THAT(Names("benchmarks"), ElementsAre("a", "b"));
  EXPECT_EQ(Document().at("probe").at("quiet_us").as_double(), 4.5);
}

// As with --strict, where a doubt that only the end shows makes an error of the only row.
TEST_F(ResultFileTest, AllRowsMayHaveFailedInTheEnd) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FakeRun("a")});
  file.Finish(
      [](benchmark::BenchmarkReporter& again) {
        again.ReportRuns({FailedRun("a", "doubts=ratio_interval:2%")});
      },
      {{"quiet_us", 4.5}});
  EXPECT_THAT(Names("benchmarks"), IsEmpty());
  EXPECT_THAT(Names("errors"), ElementsAre("a"));
}

TEST_F(ResultFileTest, WithoutAProbeThereIsNoCourse) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FakeRun("a")});
  file.Finalize();
  EXPECT_FALSE(Document().as_object().contains("probe"));
}

TEST_F(ResultFileTest, APipeGetsTheFinalRowsOnce) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  const net::Descriptor reader(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string text(60'000, '\0');  // less than a pipe holds
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FakeRun("a")});
  file.Finish([](benchmark::BenchmarkReporter& again) { again.ReportRuns({FakeRun("b")}); },
              {{"quiet_us", 4.5}});
  EXPECT_EQ(::read(reader.get(), text.data(), text.size()), 0) << "it is written at the end";
  file.Finalize();
  const ssize_t size = ::read(reader.get(), text.data(), text.size());
  ASSERT_GT(size, 0);
  text.resize(static_cast<std::size_t>(size));
  const boost::json::value document = boost::json::parse(text);
  ASSERT_EQ(document.at("benchmarks").as_array().size(), 1u);
  EXPECT_EQ(document.at("benchmarks").at(0).at("name").as_string(), "b");
  EXPECT_EQ(document.at("probe").at("quiet_us").as_double(), 4.5);
}

TEST_F(ResultFileTest, AFolderThatGoesAwayIsAnErrorWithTheFilesName) {
  ResultFile file(path());
  file.ReportContext({});
  fs::remove_all(folder_.path());
  EXPECT_THAT([&] { file.ReportRuns({FakeRun("a")}); },
              testing::ThrowsMessage<std::system_error>(
                  testing::AllOf(HasSubstr("out.json"), HasSubstr("No such file or directory"))));
}

TEST_F(ResultFileTest, AFullDiskLeavesTheLastWholeDocumentAlone) {
  ResultFile file(path());
  file.ReportContext({});
  file.ReportRuns({FakeRun("a")});
  const std::string before = ReadFile(path());
  // Has the effect of a full disk: this process may write no file longer than the present one.
  rlimit previous;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &previous), 0);
  const rlimit limit{before.size(), previous.rlim_max};
  const auto previous_handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_THROW(file.ReportRuns({FakeRun("b")}), std::system_error);
  ::setrlimit(RLIMIT_FSIZE, &previous);
  ::signal(SIGXFSZ, previous_handler);
  EXPECT_EQ(ReadFile(path()), before);
  EXPECT_THAT(folder_.Files(), ElementsAre("out.json"));
}

TEST_F(ResultFileTest, ATextFileIsFlushedAfterEveryRow) {
  TextFile file(path(), std::make_unique<CsvReporter>(SuiteCounters()));
  EXPECT_THAT(folder_.Files(), IsEmpty());
  file.ReportContext({});
  EXPECT_THAT(folder_.Files(), ElementsAre("out.json"));
  file.ReportRuns({FakeRun("a")});
  EXPECT_THAT(ReadFile(path()), HasSubstr("\n\"a\",4,"));
}

TEST_F(ResultFileTest, PathsOutOfReachAreRefusedAndNothingIsTouched) {
  const auto refusal = [](const fs::path& path) {
    return MessageOf<UsageError>([&] { CheckOutputPath(path); });
  };
  EXPECT_THAT(refusal(folder_.path()), HasSubstr("Is a directory"));
  EXPECT_THAT(refusal(folder_ / "none" / "out.json"), HasSubstr("No such file or directory"));
  EXPECT_EQ(refusal(path()), "");
  EXPECT_EQ(refusal("out.json"), "");
  EXPECT_THAT(refusal(folder_ / std::string(256, 'n')), HasSubstr("File name too long"));
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_THAT(refusal(folder_ / "circle"), HasSubstr("Too many levels of symbolic links"));
  fs::remove(folder_ / "circle");
  fs::create_symlink("none/out.json", folder_ / "dangling");
  EXPECT_THAT(refusal(folder_ / "dangling"), HasSubstr("No such file or directory"));
  fs::remove(folder_ / "dangling");
  EXPECT_THAT(folder_.Files(), IsEmpty());
}

}  // namespace
}  // namespace rpycbench
