// Tests the results and the limits of the operations. The crash test runs in a child process and
// allows core files there, so it fails if one is written.
#include "servers/service/service.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <limits>
#include <string>

namespace rpycbench::service {
namespace {

TEST(ServiceTest, DownloadsAreWhatTheContractSays) {
  const Service service;
  EXPECT_EQ(service.Ping(), "pong");
  EXPECT_EQ(service.Download(4).ToString(), "xxxx");
  EXPECT_EQ(service.DownloadFile(4).ToString(), std::string(4, '\0'));
  EXPECT_EQ(service.Download(0).size(), 0u);
}

TEST(ServiceTest, PayloadKindAppliesToAllDownloads) {
  const Service service(PayloadKind::kText);
  const std::string text = Payload::Of(PayloadKind::kText, 100).ToString();
  EXPECT_EQ(service.Download(100).ToString(), text);
  EXPECT_EQ(service.DownloadFile(100).ToString(), text);
}

TEST(ServiceTest, SizesAreBounded) {
  const Service service(std::nullopt, {.max_bytes = 1000, .max_chunks = 10});
  EXPECT_EQ(service.Download(1000).size(), 1000u);
  EXPECT_THROW(service.Download(1001), ValueError);
  EXPECT_THROW(service.Download(-1), ValueError);
  EXPECT_THROW(service.DownloadFile(1001), ValueError);
  EXPECT_EQ(service.DownloadFileChunked(1000, 100).count(), 10u);
  EXPECT_THROW(service.DownloadFileChunked(1000, 99), ValueError);
  EXPECT_THROW(service.DownloadFileChunked(10, 0), ValueError);
  EXPECT_THROW(service.DownloadFileChunked(10, -1), ValueError);
}

TEST(ServiceTest, ChunksCoverTheWhole) {
  const Service service(PayloadKind::kRandom);
  const Chunks chunks = service.DownloadFileChunked(1000, 300);
  ASSERT_EQ(chunks.count(), 4u);
  std::string joined;
  for (std::size_t i = 0; i < 4; ++i) joined += chunks.at(i).ToString();
  EXPECT_EQ(chunks.at(3).size(), 100u);
  EXPECT_TRUE(chunks.whole.Matches(joined));
  EXPECT_EQ(service.DownloadFileChunked(0, 300).count(), 0u);
}

TEST(ServiceTest, ComputeAddsSquares) {
  const Service service;
  EXPECT_EQ(service.Compute(0), 0);
  EXPECT_EQ(service.Compute(1), 0);
  EXPECT_EQ(service.Compute(4), 14);
  EXPECT_EQ(service.Compute(1000), 332'833'500);
  EXPECT_EQ(service.Compute(3'024'617), 9'223'371'388'520'336'796);
  EXPECT_THROW(service.Compute(3'024'618), ValueError);
  EXPECT_THROW(service.Compute(-1), ValueError);
}

TEST(ServiceTest, SleepTakesItsTimeAndRefusesNonsense) {
  const Service service(std::nullopt, {.max_sleep_seconds = 1});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(service.Sleep(0.02), 0.02);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
  EXPECT_THROW(service.Sleep(-0.001), ValueError);
  EXPECT_THROW(service.Sleep(1.001), ValueError);
  EXPECT_THROW(service.Sleep(std::numeric_limits<double>::quiet_NaN()), ValueError);
  EXPECT_THROW(service.Sleep(std::numeric_limits<double>::infinity()), ValueError);
}

TEST(ServiceTest, CrashesOnlyWhereThatIsAllowed) {
  const Service careful;
  EXPECT_FALSE(careful.crash_allowed());
  EXPECT_THROW(careful.Crash(), ValueError);
  const Service careless(std::nullopt, {}, true);
  EXPECT_TRUE(careless.crash_allowed());
  const auto crash_with_cores_enabled = [&] {
    rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    careless.Crash();
  };
  const auto aborted_without_core = [](int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status);
  };
  EXPECT_EXIT(crash_with_cores_enabled(), aborted_without_core, "");
}

}  // namespace
}  // namespace rpycbench::service
