// Which sizes and numbers of clients each mode gets, and that what is left out is told.
#include "bench/sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace rpycbench {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Le;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr std::int64_t kMib = 1 << 20;

Options In(Preset preset) {
  Options options;
  options.preset = preset;
  return options;
}

const ServerMode& Mode(std::string_view name) { return *FindMode(name); }

TEST(Sizes, LargerPresetsHaveThoseOfSmallerOnes) {
  const auto check = [](Preset small, Preset large) {
    for (const ServerMode& mode : kServerModes) {
      if (ExtentOf(small, mode) == Extent::kNone) continue;
      const auto holds = [&](auto sizes) {
        EXPECT_THAT(sizes(In(large), mode), IsSupersetOf(sizes(In(small), mode))) << mode.name;
      };
      holds(EchoSizes);
      holds(BandwidthSizes);
      holds(FileSizes);
      holds(ClientCounts);
      holds(ComputeClientCounts);
    }
  };
  check(Preset::kQuick, Preset::kDefault);
  check(Preset::kDefault, Preset::kFull);
}

TEST(Sizes, WhatPythonMovesNativeServersMoveAsWell) {
  for (const Preset preset : {Preset::kQuick, Preset::kDefault, Preset::kClassic, Preset::kFull}) {
    const Options options = In(preset);
    for (const ServerMode& mode : kServerModes) {
      if (ExtentOf(preset, mode) == Extent::kNone) continue;
      EXPECT_THAT(FileSizes(options, Mode("tcp_threaded")), IsSupersetOf(FileSizes(options, mode)));
      EXPECT_THAT(FileSizes(options, mode), Not(IsEmpty())) << mode.name;
      EXPECT_THAT(ClientCounts(options, mode), Not(IsEmpty())) << mode.name;
    }
  }
}

TEST(Sizes, PythonGetsFilesThatFinish) {
  Options options = In(Preset::kFull);
  EXPECT_THAT(FileSizes(options, Mode("rpyc_threaded")), Contains(500 * kMib));
  EXPECT_THAT(FileSizes(options, Mode("pyrpyc_threaded")),
              AllOf(Contains(16 * kMib), Each(Le(16 * kMib))));
  EXPECT_THAT(FileSizes(options, Mode("flask_waitress")), Each(Le(128 * kMib)));
  options.payload = service::PayloadKind::kZeros;
  EXPECT_THAT(FileSizes(options, Mode("pyrpyc_threaded")), Contains(128 * kMib));
  options.file_bytes = {999 * kMib};
  EXPECT_THAT(FileSizes(options, Mode("pyrpyc_threaded")), ElementsAre(999 * kMib));
}

TEST(Sizes, AServerOfOneConnectionIsNeverAskedForTwo) {
  Options options = In(Preset::kFull);
  for (const auto counts : {ClientCounts, ComputeClientCounts}) {
    options.clients = {};
    EXPECT_THAT(counts(options, Mode("pyrpyc_oneshot")), ElementsAre(1));
    options.clients = {2, 1, 300};
    EXPECT_THAT(counts(options, Mode("pyrpyc_oneshot")), ElementsAre(1));
    EXPECT_THAT(counts(options, Mode("pyrpyc_threaded")), ElementsAre(2, 1, 300));
  }
}

TEST(Sizes, WhatIsLeftOutIsToldOncePerReason) {
  const Options options = In(Preset::kFull);
  const std::vector<std::string> rows{
      "BinaryTransfer/rpyc_threaded/upload/9",  "BinaryTransfer/pyrpyc_threaded/upload/9",
      "BinaryTransfer/pyrpyc_forking/upload/9", "BinaryTransfer/flask_threaded/upload/9",
      "Concurrent/pyrpyc_oneshot/clients:1",    "Compute/pyrpyc_oneshot/clients:1"};
  EXPECT_THAT(
      DescribeLimits(options, rows),
      UnorderedElementsAre(
          AllOf(HasSubstr("BinaryTransfer of pyrpyc_threaded, pyrpyc_forking: files up to 16 MiB"),
                HasSubstr("64,000 bytes"), HasSubstr("--file_bytes")),
          HasSubstr("BinaryTransfer of flask_threaded: files up to 128 MiB"),
          AllOf(HasSubstr("Concurrent of pyrpyc_oneshot: 1 client, for"),
                Not(HasSubstr("--clients"))),
          AllOf(HasSubstr("Compute of pyrpyc_oneshot: 1 client, for"),
                Not(HasSubstr("--clients")))));
}

TEST(Sizes, WhatAFlagCannotHaveIsTold) {
  Options options = In(Preset::kFull);
  options.clients = {4, 1};
  EXPECT_THAT(DescribeLimits(options, {"Concurrent/pyrpyc_oneshot/clients:1",
                                       "Concurrent/pyrpyc_threaded/clients:4"}),
              ElementsAre(HasSubstr("Concurrent of pyrpyc_oneshot: 1 client, for")));
}

TEST(Sizes, EventDrivenClientsAreInFullAndAsManyAsTheModelIsMadeFor) {
  for (const ServerMode& mode : kServerModes) {
    EXPECT_THAT(EventDrivenClientCounts(In(Preset::kDefault), mode), IsEmpty()) << mode.name;
  }
  Options options = In(Preset::kFull);
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("rpyc_async")), Contains(10'000));
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("tcp_threaded")),
              AllOf(Contains(1'000), Each(Le(1'000))));
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("http_forking")), IsEmpty());
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("pyrpyc_threaded")), IsEmpty());
  options.clients = {7};
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("http_async")), ElementsAre(7));
}

TEST(Sizes, NothingIsToldOfWhatIsNotLeftOut) {
  const std::vector<std::string> rows{"BinaryTransfer/pyrpyc_threaded/upload/9",
                                      "Concurrent/pyrpyc_threaded/clients:1",
                                      "Latency/flask_threaded/ping"};
  EXPECT_THAT(DescribeLimits(In(Preset::kQuick), rows), IsEmpty());
  EXPECT_THAT(DescribeLimits(In(Preset::kDefault), {"Latency/pyrpyc_threaded/ping"}), IsEmpty());
  Options options = In(Preset::kDefault);
  EXPECT_THAT(DescribeLimits(options, rows), Not(IsEmpty()));
  options.file_bytes = {1};
  options.clients = {1};
  EXPECT_THAT(DescribeLimits(options, rows), IsEmpty());
}

}  // namespace
}  // namespace rpycbench
