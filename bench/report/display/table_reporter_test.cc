#include "bench/report/display/table_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "bench/report/display/text_layout.h"
#include "bench/tests/fake_runs.h"
#include "bench/types/types.h"

namespace rpycbench {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Counters = std::vector<std::pair<std::string, double>>;

compat::Run RunOf(const std::string& name, const std::string& label, const Counters& counters,
                  int repetition = 0, int repetitions = 1) {
  compat::Run run = FakeRun(name, repetition, repetitions);
  run.report_label = label;
  for (const auto& [counter, value] : counters) run.counters[counter] = value;
  return run;
}

// Returns rows as bench_all makes them: the floor, a multiple of it, one under other conditions and
// with doubts, and one that failed.
std::vector<compat::Run> Rows() {
  return {
      RunOf("Latency/tcp_threaded/ping/real_time", "placement=shared",
            {{"p50_us", 11.23},
             {"p99_us", 19.76},
             {"p999_us", 31.4},
             {"floor_ratio", 1},
             {"round_trips", 1},
             {"client_cpu_us", 5.6},
             {"server_cpu_us", 0.85}}),
      RunOf("Latency/rpyc_threaded/ping/real_time", "placement=shared dialect=5 doubts=steal:4%",
            {{"p50_us", 27.9},
             {"p99_us", 4130},
             {"floor_ratio", 2.48},
             {"round_trips", 2},
             {"client_cpu_us", 12.3},
             {"server_cpu_us", 9.87}}),
      RunOf("Latency/rpyc_threaded/echo_reference/1024/real_time",
            "placement=split dialect=6 doubts=stalls:3,samples_for_p99:120",
            {{"p50_us", 1'500'000}, {"round_trips", 2.5}}),
      FailedRun("Latency/http_threaded/ping/real_time",
                "cannot connect to 127.0.0.1:4711: Connection refused; server: bench_server "
                "exited with code 1; its stderr is empty"),
  };
}

// Returns what is shown of the runs, one report for each, without the context.
std::string Shown(std::size_t columns, const std::vector<std::vector<compat::Run>>& reports,
                  TableReporter::Settings settings = {}) {
  std::vector<std::string> names;
  for (const auto& runs : reports) names.push_back(runs.front().run_name.str());
  std::ostringstream out;
  settings.columns = [columns] { return columns; };
  settings.types = TypeTable(AllTypes());
  TableReporter table(settings, {}, names);
  table.SetOutputStream(&out);
  for (const auto& runs : reports) table.ReportRuns(runs);
  return out.str();
}

std::vector<std::vector<compat::Run>> Each(const std::vector<compat::Run>& runs) {
  std::vector<std::vector<compat::Run>> reports;
  for (const compat::Run& run : runs) reports.push_back({run});
  return reports;
}

TEST(TableReporterTest, HasRoomForEverythingIn120Columns) {
  EXPECT_EQ(Shown(120, Each(Rows())), R"(
Latency                                  p50      p99    p99.9  × floor  trips  client CPU  server CPU
  placement=shared
  tcp_threaded/ping                  11.2 µs  19.8 µs  31.4 µs    1.00×      1     5.60 µs      850 ns
  dialect=5
  rpyc_threaded/ping                 27.9 µs  4.13 ms     –       2.48×      2     12.3 µs     9.87 µs  ? steal:4%
  rpyc_threaded/echo_reference/1024  1.50 s      –        –           –   2.50        –           –
    placement=split dialect=6
    ? stalls:3, samples_for_p99:120
  http_threaded/ping                   error
    cannot connect to 127.0.0.1:4711: Connection refused; server: bench_server exited with code 1; its stderr is empty
)");
}

TEST(TableReporterTest, DropsColumnsIn80) {
  EXPECT_EQ(Shown(80, Each(Rows())), R"(
Latency                                  p50      p99  × floor  trips
  placement=shared
  tcp_threaded/ping                  11.2 µs  19.8 µs    1.00×      1
  dialect=5
  rpyc_threaded/ping                 27.9 µs  4.13 ms    2.48×      2
    ? steal:4%
  rpyc_threaded/echo_reference/1024  1.50 s      –           –   2.50
    placement=split dialect=6
    ? stalls:3, samples_for_p99:120
  http_threaded/ping                   error
    cannot connect to 127.0.0.1:4711: Connection refused; server: bench_server
    exited with code 1; its stderr is empty
)");
}

TEST(TableReporterTest, KeepsTimeAndRatioIn60) {
  EXPECT_EQ(Shown(60, Each(Rows())), R"(
Latency                                  p50  × floor
  placement=shared
  tcp_threaded/ping                  11.2 µs    1.00×
  dialect=5
  rpyc_threaded/ping                 27.9 µs    2.48×
    ? steal:4%
  rpyc_threaded/echo_reference/1024  1.50 s         –
    placement=split dialect=6
    ? stalls:3, samples_for_p99:120
  http_threaded/ping                   error
    cannot connect to 127.0.0.1:4711: Connection refused;
    server: bench_server exited with code 1; its stderr is
    empty
)");
}

TEST(TableReporterTest, PutsTheNameOnALineOfItsOwnWhereItDoesNotFit) {
  EXPECT_EQ(Shown(40, Each(Rows())), R"(
Latency                     p50  × floor
  placement=shared
  tcp_threaded/ping     11.2 µs    1.00×
  dialect=5
  rpyc_threaded/ping    27.9 µs    2.48×
    ? steal:4%
  rpyc_threaded/echo_reference/1024
                        1.50 s         –
    placement=split dialect=6
    ? stalls:3, samples_for_p99:120
  http_threaded/ping      error
    cannot connect to 127.0.0.1:4711:
    Connection refused; server:
    bench_server exited with code 1; its
    stderr is empty
)");
}

TEST(TableReporterTest, NoLineIsWiderThanTheTerminal) {
  for (std::size_t columns = 36; columns < 130; ++columns) {
    std::istringstream lines(Shown(columns, Each(Rows())));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(DisplayWidth(line), columns) << line;
    }
  }
}

TEST(TableReporterTest, BeginsATableForEachType) {
  const std::string shown = Shown(
      100,
      Each({RunOf("Floor/ping/real_time", "", {{"p50_us", 5}}),
            RunOf("Latency/rpyc_threaded/ping/real_time", "", {{"p50_us", 30}, {"floor_ratio", 6}}),
            RunOf("Compute/tcp_threaded/clients:4/real_time", "",
                  {{"p50_us", 100}, {"items_per_second", 39'500}, {"floor_ratio", 1}}),
            RunOf("OpenLoop/tcp_threaded/load:80/manual_time", "",
                  {{"p50_us", 40}, {"p999_us", 900}, {"achieved_per_s", 8'000}}),
            RunOf("Bandwidth/tcp_threaded/upload/1024/real_time", "",
                  {{"p50_us", 20}, {"bytes_per_second", 1.04e9}, {"floor_ratio", 1}}),
            RunOf("Isolation/tcp_threaded/real_time", "",
                  {{"p50_us", 9'600}, {"bystanders_lost", 4}})}));
  EXPECT_EQ(shown, R"(
Floor       p50      p99  trips  client CPU  server CPU
  ping  5.00 µs     –         –        –           –

Latency                   p50      p99    p99.9  × floor  trips  client CPU  server CPU
  rpyc_threaded/ping  30.0 µs     –        –       6.00×      –        –           –

Compute                       p50      p99  × floor  calls/s  client CPU  server CPU
  tcp_threaded/clients:4   100 µs     –       1.00×   39,500        –           –

OpenLoop                    p50      p99    p99.9  calls/s  client CPU  server CPU
  tcp_threaded/load:80  40.0 µs     –      900 µs    8,000        –           –

Bandwidth                       p50      p99  × floor   MB/s  client CPU  server CPU
  tcp_threaded/upload/1024  20.0 µs     –       1.00×  1,040        –           –

Isolation           p50      p99   lost
  tcp_threaded  9.60 ms     –         4
)");
}

TEST(TableReporterTest, ShowsWhatTheLedgerCountedIfAskedFor) {
  const compat::Run counted = RunOf("Latency/rpyc_threaded/ping/real_time", "",
                                    {{"p50_us", 30},
                                     {"client_syscalls", 4},
                                     {"server_syscalls", 4.5},
                                     {"client_allocations", 0},
                                     {"server_allocations", 12}});
  const compat::Run not_counted =
      RunOf("Latency/pyrpyc_threaded/ping/real_time", "", {{"p50_us", 170}});
  EXPECT_EQ(Shown(80, Each({counted, not_counted}), {.ledger = true, .pairs = false}), R"(
Latency                     p50      p99  trips  syscalls   allocs  server CPU
  rpyc_threaded/ping    30.0 µs     –         –  4 + 4.50   0 + 12        –
  pyrpyc_threaded/ping   170 µs     –         –         –        –        –
)");
}

TEST(TableReporterTest, TellsRepetitionsInOneLineAndIgnoresAggregates) {
  const std::string name = "Floor/ping/real_time";
  EXPECT_EQ(Shown(100, {{RunOf(name, "a=1", {{"p50_us", 9}, {"p99_us", 30}}, 0, 3),
                         RunOf(name, "a=1 doubts=steal:4%", {{"p50_us", 10}, {"p99_us", 20}}, 1, 3),
                         FailedRun(name, "wrong bytes", 2, 3)},
                        {FakeAggregate(name, "mean")}}),
            R"(
Floor       p50   ± p50      p99  trips  client CPU  server CPU
  a=1
  ping  9.50 µs   7.4 %  25.0 µs      –        –           –     ? steal:1of2, failed:1of3
    wrong bytes
)");
}

TEST(TableReporterTest, TellsWhatTheNameDoesNotSayOfConditions) {
  const std::string shown = Shown(
      100,
      Each({RunOf("Compression/rpyc_threaded/zeros/off/64/real_time",
                  "payload=zeros compression=off file_bytes=64", {{"p50_us", 9}}),
            RunOf("Compression/rpyc_threaded/text/threshold_65536/64/real_time",
                  "payload=text compression=threshold:65536 file_bytes=64", {{"p50_us", 9}})}));
  EXPECT_THAT(shown, HasSubstr("\n  file_bytes=64\n"));
  EXPECT_THAT(shown, Not(HasSubstr("payload=")));
  EXPECT_THAT(shown, Not(HasSubstr("compression=")));
}

TEST(TableReporterTest, ShowsTheMeanWhereThereIsNoMedian) {
  EXPECT_THAT(Shown(100, {{FakeRun("Floor/ping/real_time")}}),
              HasSubstr("\n  ping   500 ms     –         –        –           –     "
                        "the mean, because there is no p50\n"));
}

TEST(TableReporterTest, ColorsSayNothingThatTheTextDoesNot) {
  const std::string plain = Shown(80, Each(Rows()));
  std::string painted = Shown(80, Each(Rows()), {.color = true});
  EXPECT_THAT(plain, Not(HasSubstr("\033")));
  for (const char* sequence : {"\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"}) {
    EXPECT_THAT(painted, HasSubstr(sequence));
    for (std::size_t at; (at = painted.find(sequence)) != std::string::npos;) {
      painted.erase(at, std::string_view(sequence).size());
    }
  }
  EXPECT_EQ(painted, plain);
}

TEST(TableReporterTest, BeginsWithBuildAndMachineAndEndsWithACount) {
  std::ostringstream out;
  TableReporter table(
      {false, [] { return std::size_t{200}; }},
      {{"preset", "quick"}, {"suite_build_type", "Release"}, {"compiler", "GNU 12"}}, {});
  table.SetOutputStream(&out);
  EXPECT_TRUE(table.ReportContext(benchmark::BenchmarkReporter::Context()));
  EXPECT_THAT(out.str(), StartsWith(VersionLine() + ", preset quick, built as Release, GNU 12\n"));
  EXPECT_THAT(out.str(), HasSubstr(" CPU"));
  EXPECT_EQ(std::ranges::count(out.str(), '\n'), 3);
  out.str("");
  table.ReportRuns({FakeRun("Floor/ping")});
  out.str("");
  table.Finalize();
  EXPECT_EQ(out.str(), "\n1 row in 0:00\n");
}

}  // namespace
}  // namespace rpycbench
