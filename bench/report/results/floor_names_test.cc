#include "bench/report/results/floor_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rpycbench {
namespace {

using testing::ElementsAre;

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

}  // namespace
}  // namespace rpycbench
