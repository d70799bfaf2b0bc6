// Tests the program as its users see it: its exit status, its output, and what remains when it is
// killed. It runs a build of the program whose rows need no server.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "fixtures/testing/temporary_folder.h"

namespace rpycbench {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr int kTimeoutMs = 30'000;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The program as a child, with stdout in a file and stderr in a pipe. The destructor kills it if it
// still runs.
class Program {
 public:
  Program(const std::vector<std::string>& arguments, const std::vector<std::string>& variables,
          const fs::path& out) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    stderr_ = ends[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<std::string> argv_texts{RUN_TEST_MAIN};
    argv_texts.insert(argv_texts.end(), arguments.begin(), arguments.end());
    std::vector<std::string> environment = variables;
    std::vector<char*> argv = Pointers(argv_texts);
    std::vector<char*> envp = Pointers(environment);
    const int error =
        ::posix_spawn(&pid_, RUN_TEST_MAIN, &actions, nullptr, argv.data(), envp.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) throw std::runtime_error("cannot start " RUN_TEST_MAIN);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      Kill(SIGKILL);
      Wait();
    }
    ::close(stderr_);
  }

  void Kill(int signal) const { ::kill(pid_, signal); }

  // Reads stderr until it ends, or until `text` appears. Returns whether it appeared.
  bool ReadUntil(const std::string& text) {
    while (text.empty() || errors_.find(text) == std::string::npos) {
      pollfd readable{stderr_, POLLIN, 0};
      if (::poll(&readable, 1, kTimeoutMs) != 1) return false;
      char buffer[4096];
      const ssize_t got = ::read(stderr_, buffer, sizeof buffer);
      if (got <= 0) return false;
      errors_.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }

  // Returns the exit status, or the negative number of the signal that ended it.
  int Wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

  const std::string& errors() const { return errors_; }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  pid_t pid_ = -1;
  int stderr_ = -1;
  std::string errors_;
};

struct Result {
  int status;
  std::string out;
  std::string errors;

  // Returns the lines that the program itself wrote to stderr.
  std::vector<std::string> Complaints() const {
    std::vector<std::string> lines;
    for (const std::string& line : LinesOf(errors)) {
      // A build with sanitizers prints a warning, which these tests ignore.
      if (line.starts_with("bench_all: ") && !line.starts_with("bench_all: warning: built")) {
        lines.push_back(line);
      }
    }
    return lines;
  }
};

class RunTest : public testing::Test {
 protected:
  Result Run(std::vector<std::string> arguments, const std::vector<std::string>& variables = {}) {
    Program program(arguments, variables, folder_ / "stdout");
    program.ReadUntil("");
    const int status = program.Wait();
    return {status, ReadFile(folder_ / "stdout"), program.errors()};
  }

  // Runs rows that match, each as briefly as possible, into a file.
  Result RunInto(const std::string& file, const std::string& filter,
                 std::vector<std::string> more = {},
                 const std::vector<std::string>& variables = {}) {
    more.insert(more.end(), {"--benchmark_filter=" + filter, "--benchmark_min_time=0",
                             "--benchmark_out=" + (folder_ / file).string()});
    return Run(more, variables);
  }

  boost::json::value Document(const std::string& file) const {
    return boost::json::parse(ReadFile(folder_ / file));
  }

  static std::vector<std::string> NamesIn(const boost::json::value& document, const char* list) {
    std::vector<std::string> names;
    for (const auto& item : document.at(list).as_array()) {
      names.emplace_back(item.at("name").as_string());
    }
    return names;
  }

  TemporaryFolder folder_;
};

TEST_F(RunTest, GoodRowsExitWithSuccess) {
  const Result result = Run({"--benchmark_filter=Good", "--benchmark_min_time=0"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(LinesOf(result.out),
              IsSupersetOf(
                  {StartsWith("Good "), StartsWith("  first   1.50 µs"), StartsWith("  second ")}));
  EXPECT_THAT(result.Complaints(), IsEmpty());
}

TEST_F(RunTest, AFailedRowExitsWithOneAndTheRestGoesOn) {
  const Result result = Run({"--benchmark_filter=Good|Bad", "--benchmark_min_time=0"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\n  second "), HasSubstr("\n    wrong bytes\n")));
  EXPECT_THAT(result.Complaints(), ElementsAre("bench_all: 2 of 4 rows ended in an error"));
}

TEST_F(RunTest, ListsRowsWithoutRunningThem) {
  const Result result = Run({"--benchmark_list_tests", "--benchmark_filter=Good|Bad",
                             "--benchmark_out=" + (folder_ / "out.json").string()});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(LinesOf(result.out), ElementsAre("Good/first/real_time", "Good/second/real_time",
                                               "Bad/before/real_time", "Bad/after/real_time"));
  EXPECT_THAT(folder_.Files(), ElementsAre("stdout"));
}

TEST_F(RunTest, AFilterThatMatchesNothingSaysSo) {
  for (const char* list : {"--benchmark_list_tests=false", "--benchmark_list_tests"}) {
    const Result result = Run({"--benchmark_filter=Nothing/like_it", list});
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(LinesOf(result.errors),
                Contains(AllOf(HasSubstr("Nothing/like_it"), HasSubstr("--benchmark_list_tests"),
                               HasSubstr("--preset=full"))));
    EXPECT_EQ(result.Complaints().size(), 1);
  }
}

TEST_F(RunTest, AnEarlierFileSurvivesAFilterThatMatchesNothing) {
  std::ofstream(folder_ / "out.json") << "earlier";
  for (const char* format : {"json", "csv", "console"}) {
    EXPECT_EQ(
        RunInto("out.json", "Nothing", {std::string("--benchmark_out_format=") + format}).status,
        2);
    EXPECT_EQ(ReadFile(folder_ / "out.json"), "earlier");
  }
}

TEST_F(RunTest, ABadRegularExpressionIsRefused) {
  const Result result = Run({"--benchmark_filter=("});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.Complaints(), ElementsAre(HasSubstr("Could not compile")));
}

TEST_F(RunTest, BadFlagsAreRefusedInOneLine) {
  for (const char* argument :
       {"--nope", "--preset=fast", "--requests=0", "left_over", "--benchmark_nope=1",
        "--benchmark_filter", "--benchmark_min_time=abc", "--benchmark_repetitions=x",
        "--benchmark_format=xml", "--benchmark_out_format=xml", "--benchmark_context=x",
        "--benchmark_color="}) {
    const Result result = Run({"--benchmark_filter=Good", argument});
    EXPECT_EQ(result.status, 2) << argument;
    EXPECT_EQ(result.out, "") << argument;
    EXPECT_THAT(LinesOf(result.errors), ElementsAre(StartsWith("bench_all: "))) << argument;
  }
}

TEST_F(RunTest, TheFrameworksVariablesCountAndAreChecked) {
  const Result good =
      Run({"--benchmark_filter=Good/first", "--benchmark_min_time=0"}, {"BENCHMARK_FORMAT=json"});
  EXPECT_EQ(good.status, 0);
  EXPECT_THAT(NamesIn(boost::json::parse(good.out), "benchmarks"),
              ElementsAre("Good/first/real_time"));
  const Result out = Run({"--benchmark_filter=Good/first", "--benchmark_min_time=0"},
                         {"BENCHMARK_OUT=" + (folder_ / "out.json").string()});
  EXPECT_EQ(out.status, 0);
  EXPECT_THAT(NamesIn(Document("out.json"), "benchmarks"), ElementsAre("Good/first/real_time"));
  EXPECT_EQ(Run({"--benchmark_filter=Good"}, {"BENCHMARK_FORMAT=xml"}).status, 2);
}

TEST_F(RunTest, HelpHasBothKindsOfFlags) {
  const Result result = Run({"--benchmark_filter=Good", "--help"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.errors, "");
  EXPECT_THAT(result.out, AllOf(HasSubstr("--preset="), HasSubstr("--benchmark_filter="),
                                HasSubstr("--benchmark_format=console"), HasSubstr("Exit status")));
}

TEST_F(RunTest, VersionIsOneLine) {
  const Result result = Run({"--version"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(LinesOf(result.out), ElementsAre(StartsWith("rpycbench ")));
}

TEST_F(RunTest, ThePresetSetsTheMeasuringTimeUnlessTheUserDoes) {
  const auto iterations = [this](const std::vector<std::string>& flags,
                                 const std::vector<std::string>& variables = {}) {
    std::vector<std::string> arguments{"--benchmark_filter=Good/first", "--benchmark_format=json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const boost::json::value document = boost::json::parse(Run(arguments, variables).out);
    return document.at("benchmarks").at(0).at("iterations").to_number<std::int64_t>();
  };
  EXPECT_GT(iterations({"--preset=quick"}), 1);
  EXPECT_EQ(iterations({"--preset=quick", "--benchmark_min_time=0"}), 1);
  EXPECT_EQ(iterations({"--preset=quick", "--benchmark_min_time=0s"}), 1);
  EXPECT_EQ(iterations({"--preset=quick"}, {"BENCHMARK_MIN_TIME=0"}), 1);
}

TEST_F(RunTest, StdoutOfTheJsonFormatIsJson) {
  const Result result =
      Run({"--benchmark_filter=Good|Odd|Bad", "--benchmark_min_time=0", "--benchmark_format=json"});
  EXPECT_EQ(result.status, 1);
  const boost::json::value document = boost::json::parse(result.out);
  const auto& rows = document.at("benchmarks").as_array();
  ASSERT_EQ(rows.size(), 6);
  EXPECT_EQ(rows[4].at("error_occurred"), true);
  EXPECT_FALSE(rows[2].as_object().contains("max_us"));
}

TEST_F(RunTest, StdoutOfTheCsvFormatTakesRowsOfAnyCounters) {
  const Result result =
      Run({"--benchmark_filter=Good|Odd|Bad", "--benchmark_min_time=0", "--benchmark_format=csv"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, AllOf(StartsWith("name,"), HasSubstr("\n\"Good/second/"),
                                HasSubstr("\n\"Odd/unknown_counter/"), HasSubstr("wrong bytes")));
}

TEST_F(RunTest, TheFileHasTheContextOfTheRun) {
  ASSERT_EQ(RunInto("out.json", "Good", {"--preset=quick", "--payload=text"}).status, 0);
  const boost::json::object context = Document("out.json").at("context").as_object();
  for (const char* key :
       {"suite_version", "git_revision", "suite_build_type", "compiler", "boost_version",
        "google_benchmark_version", "kernel", "library_build_type", "date"}) {
    EXPECT_TRUE(context.contains(key)) << key;
  }
  EXPECT_EQ(context.at("preset").as_string(), "quick");
  EXPECT_EQ(context.at("payload").as_string(), "text");
}

TEST_F(RunTest, TheContextHasVariablesThatChangeCosts) {
  ASSERT_EQ(RunInto("out.json", "Good").status, 0);
  EXPECT_FALSE(Document("out.json").at("context").as_object().contains("environment"));
  ASSERT_EQ(RunInto("out.json", "Good", {},
                    {"TERM=dumb", "MALLOC_ARENA_MAX=1", "PYTHONOPTIMIZE=", "LD_AUDITS=x",
                     "MIMALLOC_VERBOSE=0", "GLIBC_TUNABLES=glibc.malloc.arena_max=1"})
                .status,
            0);
  EXPECT_EQ(Document("out.json").at("context").at("environment").as_string(),
            "GLIBC_TUNABLES=glibc.malloc.arena_max=1 MALLOC_ARENA_MAX=1 MIMALLOC_VERBOSE=0");
}

TEST_F(RunTest, TheFileKeepsFailedRowsApart) {
  EXPECT_EQ(RunInto("out.json", "Good|Odd|Bad").status, 1);
  const boost::json::value document = Document("out.json");
  EXPECT_THAT(NamesIn(document, "benchmarks"),
              ElementsAre("Good/first/real_time", "Good/second/real_time",
                          "Odd/not_a_number/real_time", "Odd/unknown_counter/real_time"));
  EXPECT_THAT(NamesIn(document, "errors"),
              ElementsAre("Bad/before/real_time", "Bad/after/real_time"));
  EXPECT_THAT(document.at("errors").at(0).at("message").as_string().c_str(),
              StartsWith("refused: \"no"));
  EXPECT_THAT(folder_.Files(), UnorderedElementsAre("out.json", "stdout"));
}

TEST_F(RunTest, ARowThatFailsInOneRepetitionHasNoResult) {
  for (const char* order : {"false", "true"}) {
    const Result result = RunInto("out.json", "Good/first|Flaky",
                                  {"--benchmark_repetitions=4",
                                   std::string("--benchmark_enable_random_interleaving=") + order});
    EXPECT_EQ(result.status, 1) << result.errors;
    const boost::json::value document = Document("out.json");
    EXPECT_EQ(NamesIn(document, "benchmarks").size(), 8);  // four repetitions, four aggregates
    EXPECT_THAT(NamesIn(document, "benchmarks"), Each(StartsWith("Good/first/real_time")));
    EXPECT_THAT(NamesIn(document, "errors"), Contains("Flaky/first/iterations:10/real_time"));
    EXPECT_THAT(NamesIn(document, "errors"), Contains("Flaky/third/iterations:10/real_time"));
  }
}

TEST_F(RunTest, AggregatesAloneDoNotHideAFailure) {
  const Result result =
      RunInto("out.json", "Good/first|Flaky/third",
              {"--benchmark_repetitions=4", "--benchmark_report_aggregates_only=true",
               "--benchmark_format=console"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(LinesOf(result.out), Not(Contains(StartsWith("Good/first/real_time "))));
  const boost::json::value document = Document("out.json");
  EXPECT_THAT(NamesIn(document, "benchmarks"),
              ElementsAre("Good/first/real_time_mean", "Good/first/real_time_median",
                          "Good/first/real_time_stddev", "Good/first/real_time_cv"));
  EXPECT_THAT(NamesIn(document, "errors"), Contains("Flaky/third/iterations:10/real_time"));
}

TEST_F(RunTest, DisplayingAggregatesAloneLeavesTheFileWhole) {
  const Result result =
      RunInto("out.json", "Good/first",
              {"--benchmark_repetitions=2", "--benchmark_display_aggregates_only"});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(LinesOf(result.out), Contains(StartsWith("  first  1.50 µs   0.0 %")).Times(1));
  EXPECT_EQ(NamesIn(Document("out.json"), "benchmarks").size(), 6);
}

TEST_F(RunTest, TheFrameworksConsoleIsThereForWhoAsks) {
  const auto run = [this](const char* flag, const std::vector<std::string>& variables = {}) {
    return Run({"--benchmark_filter=Good/first", "--benchmark_min_time=0",
                "--benchmark_repetitions=2", "--benchmark_display_aggregates_only", flag},
               variables)
        .out;
  };
  const auto console = AllOf(HasSubstr("\nBenchmark  "), HasSubstr("\nGood/first/real_time_mean "),
                             Not(HasSubstr("\nGood/first/real_time ")));
  for (const std::string& out :
       {run("--benchmark_format=console"), run("--v=0", {"BENCHMARK_FORMAT=console"})}) {
    EXPECT_THAT(out, AllOf(console, HasSubstr("p50_us=1.5")));
  }
  EXPECT_THAT(run("--benchmark_counters_tabular"),
              AllOf(console, HasSubstr("Iterations     p50_us")));
  EXPECT_THAT(run("--v=0"), Not(HasSubstr("Good/first")));
}

TEST_F(RunTest, OtherFileFormatsAreTheFrameworks) {
  EXPECT_EQ(RunInto("out.csv", "Good|Bad", {"--benchmark_out_format=csv"}).status, 1);
  EXPECT_THAT(ReadFile(folder_ / "out.csv"),
              AllOf(HasSubstr("\nname,iterations,"), HasSubstr("\n\"Good/second/real_time\",1,"),
                    HasSubstr("\"wrong bytes\"")));
  EXPECT_EQ(RunInto("out.txt", "Good", {"--benchmark_out_format=console"}).status, 0);
  EXPECT_THAT(ReadFile(folder_ / "out.txt"), HasSubstr("\nGood/second/real_time "));
}

TEST_F(RunTest, AFileOutOfReachIsRefusedBeforeAnythingRuns) {
  const Result result = RunInto("no_such_folder/out.json", "Good");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.Complaints(),
              ElementsAre(AllOf(HasSubstr("no_such_folder"), HasSubstr("No such file"))));
}

TEST_F(RunTest, AFileThatCanNotBeWrittenLaterIsAFailure) {
  const Result result =
      Run({"--benchmark_filter=Good", "--benchmark_min_time=0", "--benchmark_out=/dev/full"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.Complaints(),
              ElementsAre(AllOf(HasSubstr("/dev/full"), HasSubstr("No space left"))));
}

TEST_F(RunTest, OutputThatGetsLostIsAFailure) {
  for (const char* flag : {"--v=0", "--benchmark_format=console", "--benchmark_format=json",
                           "--benchmark_format=csv", "--benchmark_list_tests"}) {
    Program program({"--benchmark_filter=Good", "--benchmark_min_time=0", flag}, {}, "/dev/full");
    program.ReadUntil("");
    EXPECT_EQ(program.Wait(), 1) << flag;
    EXPECT_THAT(program.errors(), HasSubstr("bench_all: cannot write everything to stdout"))
        << flag;
  }
}

TEST_F(RunTest, KillingItLosesNoFinishedRow) {
  for (const int signal : {SIGKILL, SIGINT, SIGTERM}) {
    const fs::path out = folder_ / "out.json";
    Program program({"--benchmark_filter=Good|Bad|Wait", "--benchmark_min_time=0",
                     "--benchmark_out=" + out.string()},
                    {}, folder_ / "stdout");
    ASSERT_TRUE(program.ReadUntil("waiting\n")) << program.errors();
    program.Kill(signal);
    EXPECT_EQ(program.Wait(), -signal);
    const boost::json::value document = Document("out.json");
    EXPECT_THAT(NamesIn(document, "benchmarks"),
                ElementsAre("Good/first/real_time", "Good/second/real_time"));
    EXPECT_THAT(NamesIn(document, "errors"),
                ElementsAre("Bad/before/real_time", "Bad/after/real_time"));
    fs::remove(out);
  }
}

TEST_F(RunTest, KillingItLosesNoFinishedLineOfATextFile) {
  const fs::path out = folder_ / "out.csv";
  Program program({"--benchmark_filter=Good|Wait", "--benchmark_min_time=0",
                   "--benchmark_out_format=csv", "--benchmark_out=" + out.string()},
                  {}, folder_ / "stdout");
  ASSERT_TRUE(program.ReadUntil("waiting\n")) << program.errors();
  program.Kill(SIGKILL);
  EXPECT_EQ(program.Wait(), -SIGKILL);
  EXPECT_THAT(LinesOf(ReadFile(out)), Contains(StartsWith("\"Good/second/real_time\",1,")));
}

}  // namespace
}  // namespace rpycbench
