#include "bench/report/results/floor_ratio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/types/types.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;

MeasuredRow Row(const std::string& name, double p50, const Labels& labels = {}) {
  MeasuredRow row;
  row.name = SplitName(name);
  row.labels = labels;
  row.counters["p50_us"] = p50;
  return row;
}

TEST(FloorNamesTest, AreOfTheSameOperationByPlainTcpOrOfTheBareLoop) {
  const struct {
    const char* row;
    const char* operation;
  } cases[] = {{"Latency/rpyc_threaded/ping", "/ping"},
               {"Latency/rpyc_threaded/ping_bound", "/ping"},
               {"Latency/rpyc_threaded/ping_callattr", "/ping"},
               {"Latency/pyrpyc_oneshot/echo_reference/1024", "/ping"},
               {"Latency/http_async/echo/1024", "/echo/1024"},
               {"BinaryTransfer/rpyc_async/upload_chunked_by_value/99", "/upload_chunked/99"},
               {"BinaryTransfer/rpyc_async/download_chunked_buffiter/99", "/download_chunked/99"},
               {"Concurrent/rpyc_threaded/ping_callattr/clients:10", "/clients:10"},
               {"Concurrent/http_threaded/pool:10/clients:10", "/clients:10"},
               {"Connection/rpyc_forking/python_opening", ""},
               {"Connection/http_forking", ""}};
  for (const auto& [row, operation] : cases) {
    const RowName name = SplitName(row);
    EXPECT_THAT(FloorNames(name), ElementsAre(name.type + "/tcp_threaded" + operation,
                                              std::string("Floor") + operation))
        << row;
  }
}

TEST(FloorRatioTest, IsToPlainTcpRatherThanToTheBareLoop) {
  FloorRatio floor;
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/ping", 30)), std::nullopt);
  floor.Learn(Row("Floor/ping", 5));
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/ping", 30)), 6);
  const MeasuredRow tcp = Row("Latency/tcp_threaded/ping", 10);
  floor.Learn(tcp);
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/ping_bound", 30)), 3);
  EXPECT_EQ(floor.Of(tcp), 1);
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/echo/64", 30)), std::nullopt);
  EXPECT_EQ(floor.Of(Row("Floor/ping", 5)), std::nullopt);
}

TEST(FloorRatioTest, NeedsConditionsThatDoNotContradict) {
  FloorRatio floor;
  floor.Learn(Row("Latency/tcp_threaded/ping", 10, {{"placement", "shared"}, {"payload", "text"}}));
  const auto ratio = [&floor](const Labels& labels) {
    return floor.Of(Row("Latency/rpyc_threaded/ping", 30, labels));
  };
  EXPECT_EQ(ratio({{"placement", "shared"}, {"payload", "text"}, {"dialect", "5"}}), 3);
  EXPECT_EQ(ratio({{"placement", "split"}, {"payload", "text"}}), std::nullopt);
  floor.Learn(Row("Latency/tcp_threaded/ping", 15, {{"placement", "split"}}));
  EXPECT_EQ(ratio({{"placement", "split"}, {"payload", "text"}}), 2);
}

TEST(FloorRatioTest, ComparesWhatAnAnswerOfAllClientsTakesWhereARateCounts) {
  MeasuredRow tcp = Row("Compute/tcp_threaded/clients:4", 100);
  tcp.counters["items_per_second"] = 8'000;
  MeasuredRow python = Row("Compute/pyrpyc_threaded/clients:4", 200);
  python.counters["items_per_second"] = 1'000;
  FloorRatio floor{TypeTable(AllTypes())};
  floor.Learn(tcp);
  EXPECT_DOUBLE_EQ(floor.Of(python).value(), 8);
}

TEST(FloorRatioTest, HasNoneForRowsWithoutACost) {
  FloorRatio floor;
  floor.Learn(Row("Latency/tcp_threaded/ping", 0));
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/ping", 30)), std::nullopt);
  floor.Learn(Row("Latency/tcp_threaded/ping", 10));
  EXPECT_EQ(floor.Of(Row("Latency/rpyc_threaded/ping", 0)), std::nullopt);
  EXPECT_EQ(floor.Of(MeasuredRow{}), std::nullopt);
}

}  // namespace
}  // namespace rpycbench
