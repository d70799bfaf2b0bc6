// Tests which sizes and client counts each mode gets, and that the suite reports what it leaves
// out.
#include "bench/types/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace rpycbench {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Le;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::int64_t kMib = 1 << 20;

Options In(Preset preset) {
  Options options;
  options.preset = preset;
  return options;
}

const ServerMode& Mode(std::string_view name) { return *FindMode(name); }

TEST(Presets, EveryModeIsInFullAndLargerPresetsHaveWhatSmallerOnesHave) {
  for (const ServerMode& mode : kServerModes) {
    const auto in = [&mode](Preset preset) { return ExtentOf(preset, mode); };
    EXPECT_LE(in(Preset::kQuick), in(Preset::kDefault)) << mode.name;
    EXPECT_LE(in(Preset::kDefault), in(Preset::kFull)) << mode.name;
    EXPECT_LE(in(Preset::kClassic), in(Preset::kFull)) << mode.name;
    EXPECT_NE(in(Preset::kFull), Extent::kNone) << mode.name << " is in no preset";
  }
}

TEST(Presets, TypesOfFewModesGrowWithThePreset) {
  const ServerMode& mode = Mode("rpyc_async");
  EXPECT_FALSE(HasRows("OpenLoop", Preset::kQuick, mode));
  EXPECT_TRUE(HasRows("OpenLoop", Preset::kDefault, mode));
  EXPECT_TRUE(HasRows("OpenLoop", Preset::kFull, mode));
  EXPECT_FALSE(HasRows("OpenLoop", Preset::kClassic, mode));
  EXPECT_TRUE(HasRows("Calibration", Preset::kFull, mode)) << "all native modes have it";
  EXPECT_FALSE(HasRows("Calibration", Preset::kFull, Mode("pyrpyc_threaded")));
  EXPECT_FALSE(HasRows("NoSuchType", Preset::kFull, mode));
}

TEST(Sizes, LargerPresetsHaveThoseOfSmallerOnes) {
  const auto check = [](Preset small, Preset large) {
    for (const ServerMode& mode : kServerModes) {
      if (ExtentOf(small, mode) == Extent::kNone) continue;
      const auto holds = [&](auto sizes) {
        EXPECT_THAT(sizes(In(large), mode), IsSupersetOf(sizes(In(small), mode))) << mode.name;
      };
      holds(EchoSizes);
      holds(OpenLoopLoads);
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
      const bool without = preset == Preset::kQuick && mode.model != "threaded";
      EXPECT_EQ(FileSizes(options, mode).empty(), without) << mode.name;
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
  for (const char* name : {"pyrpyc_threaded", "pyrpyc_forking", "flask_threaded"}) {
    EXPECT_THAT(FileSizes(options, Mode(name)), Contains(500 * kMib)) << name;
  }
  EXPECT_THAT(FileSizes(options, Mode("flask_waitress")), Each(Le(128 * kMib)));
  EXPECT_THAT(FileSizes(options, Mode("pyrpyc_oneshot")), Each(Le(16 * kMib)));
  options.file_bytes = {999 * kMib};
  EXPECT_THAT(FileSizes(options, Mode("pyrpyc_threaded")), ElementsAre(999 * kMib));
}

TEST(Sizes, AFlagReplacesThePayloadsOfEveryPreset) {
  for (const Preset preset : {Preset::kQuick, Preset::kDefault, Preset::kClassic, Preset::kFull}) {
    Options options = In(preset);
    options.payload_bytes = {65'536, 1};
    for (const auto sizes : {EchoSizes, BandwidthSizes}) {
      EXPECT_THAT(sizes(options, Mode("rpyc_threaded")), ElementsAre(65'536, 1));
      EXPECT_THAT(sizes(options, Mode("flask_threaded")), ElementsAre(65'536, 1));
    }
    EXPECT_EQ(FileSizes(options, Mode("rpyc_threaded")),
              FileSizes(In(preset), Mode("rpyc_threaded")));
  }
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

TEST(Sizes, EventDrivenClientsAreAsManyAsTheModelIsMadeFor) {
  Options options = In(Preset::kFull);
  for (const ServerMode& mode : kServerModes) {
    const auto counts = EventDrivenClientCounts(options, mode);
    if (mode.software.is_python()) {
      EXPECT_THAT(counts, IsEmpty()) << mode.name;
    } else if (mode.model == "forking") {
      EXPECT_THAT(counts, ElementsAre(1, 10, 100, 1'000)) << mode.name;
    } else {
      EXPECT_THAT(counts, ElementsAre(1, 10, 100, 1'000, 10'000)) << mode.name;
    }
    EXPECT_THAT(EventDrivenClientCounts(In(Preset::kQuick), mode), IsEmpty()) << mode.name;
    EXPECT_THAT(EventDrivenClientCounts(In(Preset::kClassic), mode), IsEmpty()) << mode.name;
  }
  options.clients = {7, 20'000};
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("http_forking")), ElementsAre(7, 20'000));
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("pyrpyc_threaded")), IsEmpty());
}

TEST(Sizes, DefaultHasTwoRowsOfEventDrivenClients) {
  Options options = In(Preset::kDefault);
  std::size_t rows = 0;
  for (const ServerMode& mode : kServerModes) rows += EventDrivenClientCounts(options, mode).size();
  EXPECT_EQ(rows, 2u);
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("rpyc_async")), ElementsAre(100));
  options.clients = {7};
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("rpyc_async")), ElementsAre(7));
  EXPECT_THAT(EventDrivenClientCounts(options, Mode("tcp_async")), IsEmpty());
}

TEST(Sizes, NoServerGetsMoreClientsThanItTakesAtOnce) {
  ServerMode mode = Mode("rpyc_async");
  mode.traits.connections_at_once = 1;
  for (const Preset preset : {Preset::kDefault, Preset::kFull}) {
    EXPECT_THAT(EventDrivenClientCounts(In(preset), mode), Each(Le(1)));
    EXPECT_THAT(ClientCounts(In(preset), mode), Each(Le(1)));
    EXPECT_THAT(ComputeClientCounts(In(preset), mode), Each(Le(1)));
  }
}

TEST(Sizes, TheGeneratorIsHeldAgainstWrkOnHttpServers) {
  std::size_t modes = 0;
  for (const ServerMode& mode : kServerModes) {
    EXPECT_THAT(GeneratorConnections(In(Preset::kDefault), mode), IsEmpty()) << mode.name;
    if (GeneratorConnections(In(Preset::kFull), mode).empty()) continue;
    EXPECT_EQ(mode.protocol, Protocol::kHttp) << mode.name;
    EXPECT_TRUE(mode.traits.keeps_connections) << mode.name;
    ++modes;
  }
  EXPECT_EQ(modes, 2u);
}

// The RTTs of Link's or PyLink's rows, by mode. Modes without such rows are missing.
using RttsByMode = std::map<std::string_view, std::vector<std::chrono::nanoseconds>>;

RttsByMode RttsOf(decltype(LinkRtts) rtts, const Options& options) {
  RttsByMode found;
  for (const ServerMode& mode : kServerModes) {
    if (auto all = rtts(options, mode); !all.empty()) found.emplace(mode.name, std::move(all));
  }
  return found;
}

const RttsByMode::mapped_type kPresetRtts{0ms, 1ms, 20ms};

TEST(LinkRtts, OnlyFullHasRowsOfItsOwn) {
  const Options full = In(Preset::kFull);
  EXPECT_THAT(RttsOf(LinkRtts, full),
              UnorderedElementsAre(
                  Pair("tcp_threaded", kPresetRtts), Pair("rpyc_threaded", kPresetRtts),
                  Pair("http_threaded", kPresetRtts), Pair("pyrpyc_threaded", kPresetRtts),
                  Pair("flask_threaded", kPresetRtts), Pair("flask_waitress", kPresetRtts)));
  EXPECT_THAT(RttsOf(PyLinkRtts, full), UnorderedElementsAre(Pair("rpyc_threaded", kPresetRtts),
                                                             Pair("http_threaded", kPresetRtts),
                                                             Pair("pyrpyc_threaded", kPresetRtts),
                                                             Pair("flask_threaded", kPresetRtts),
                                                             Pair("flask_waitress", kPresetRtts)));
  EXPECT_EQ(AllLinkRtts(full), kPresetRtts);
  for (const Preset preset : {Preset::kQuick, Preset::kDefault, Preset::kClassic}) {
    EXPECT_THAT(RttsOf(LinkRtts, In(preset)), IsEmpty()) << ToString(preset);
    EXPECT_THAT(RttsOf(PyLinkRtts, In(preset)), IsEmpty()) << ToString(preset);
  }
}

TEST(LinkRtts, WithTheFlagEveryPresetHasTheRowsOfFull) {
  for (const Preset preset : {Preset::kQuick, Preset::kDefault, Preset::kClassic, Preset::kFull}) {
    Options options = In(preset);
    options.rtts = {5ms, 300us};
    for (const auto rtts : {LinkRtts, PyLinkRtts}) {
      RttsByMode expected = RttsOf(rtts, In(Preset::kFull));
      for (auto& [mode, all] : expected) all = options.rtts;
      EXPECT_EQ(RttsOf(rtts, options), expected) << ToString(preset);
    }
    EXPECT_EQ(AllLinkRtts(options), options.rtts);
  }
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
