// Tests the lines of a file of clients, with clients whose times are made up.
#include "bench/load/per_client_file.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fixtures/testing/temporary_folder.h"

namespace rpycbench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

std::vector<boost::json::object> LinesOf(const std::string& path) {
  std::ifstream file(path);
  std::vector<boost::json::object> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(boost::json::parse(line).as_object());
  }
  return lines;
}

ClientResult Served(int begin_ms, int requests) {
  ClientResult result;
  result.connect.Add(microseconds(300));
  for (int i = 1; i <= requests; ++i) result.latencies.Add(microseconds(i));
  result.begin += std::chrono::seconds(5) + milliseconds(begin_ms);
  result.end = result.begin + milliseconds(10);
  result.requests_per_second = requests * 100;
  return result;
}

TEST(PerClientFileTest, ALineHasWhatTheClientDid) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "clients.jsonl";
  PerClientFile file(path, "Concurrent/rpyc_threaded/clients:2");
  std::vector<ClientResult> results{Served(2, 100), Served(0, 19)};
  file.NextRun();
  file.Append(results);
  file.Append(results);
  const auto lines = LinesOf(path);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(boost::json::serialize(lines[0]),
            boost::json::serialize(boost::json::parse(
                R"({"row":"Concurrent/rpyc_threaded/clients:2","run":1,"iteration":1,"client":0,)"
                R"("connect_us":300,"start_s":0.002,"end_s":0.012,"requests":100,)"
                R"("requests_per_s":10000,"min_us":1,"p50_us":50,"p95_us":95,"p99_us":99,)"
                R"("max_us":100,"errors":0})")));
  EXPECT_FALSE(lines[1].contains("p95_us")) << "19 samples have none";
  EXPECT_EQ(lines[1].at("p50_us").to_number<double>(), 10);
  EXPECT_EQ(lines[3].at("iteration"), 2);
}

TEST(PerClientFileTest, AClientThatFailedHasALineWithItsError) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "clients.jsonl";
  PerClientFile file(path, "row \"quoted\"");
  std::vector<ClientResult> results{Served(0, 3), ClientResult{}};
  results[0].error = "lost \"it\"\n\x1b at \xff";
  results[1].error = "refused";
  file.NextRun();
  file.Append(results);
  const auto lines = LinesOf(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].at("row"), "row \"quoted\"");
  EXPECT_EQ(lines[0].at("requests"), 3);
  EXPECT_EQ(lines[0].at("errors"), 1);
  EXPECT_EQ(lines[0].at("error"), "lost \"it\" ? at ?");
  for (const char* absent : {"connect_us", "start_s", "end_s", "min_us", "p50_us"}) {
    EXPECT_FALSE(lines[1].contains(absent)) << absent;
  }
  EXPECT_EQ(lines[1].at("error"), "refused");
}

TEST(PerClientFileTest, AFileThatCannotBeWrittenIsAnError) {
  std::vector<ClientResult> results{Served(0, 3)};
  EXPECT_THROW(PerClientFile("/nowhere/clients.jsonl", "row").Append(results), std::runtime_error);
  PerClientFile("", "row").Append(results);  // no file is wanted
}

}  // namespace
}  // namespace rpycbench
