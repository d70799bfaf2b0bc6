// Tests rows for which this machine has no address, and rows that would cross a link where there is
// none. They are left out with a note, unless the user asked for them or for nothing else.
#include "bench/run/selection.h"

#include <benchmark/benchmark.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixtures/address_family.h"
#include "fixtures/link/link.h"
#include "fixtures/usage_error.h"
#include "servers/net/testing/message_of.h"

namespace rpycbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kReason[] = "bind [::1]:0: Cannot assign requested address";
constexpr char kIpv6Row[] = "AddressFamily/tcp_threaded/ipv6/ping/real_time";
constexpr char kUnixRow[] = "AddressFamily/tcp_threaded/unix/ping/real_time";

std::string RefusalOf(std::string_view filter, std::vector<std::string> rows) {
  Selection selection;
  return MessageOf<UsageError>([&] { LeaveOutIpv6(kReason, filter, rows, selection); });
}

TEST(SelectionTest, WithoutIpv6ItsRowsAreLeftOutAndTold) {
  std::vector<std::string> rows{kIpv6Row, kUnixRow};
  Selection selection;
  selection.modes = {*FindMode("tcp_threaded")};
  LeaveOutIpv6(kReason, "AddressFamily", rows, selection);
  EXPECT_THAT(rows, ElementsAre(kUnixRow));
  EXPECT_FALSE(selection.possible.ipv6);
  EXPECT_THAT(selection.notes, ElementsAre(std::string("unavailable: ipv6: ") + kReason));
}

TEST(SelectionTest, WithoutIpv6AFilterThatNamesItIsRefused) {
  EXPECT_EQ(RefusalOf("AddressFamily/.*/(ipv6|unix)", {kIpv6Row, kUnixRow}),
            std::string("unavailable: ipv6: ") + kReason);
  EXPECT_EQ(RefusalOf("-ipv6", {kIpv6Row, kUnixRow}), "");
}

TEST(SelectionTest, WithoutIpv6AFilterThatMatchesNothingElseIsRefused) {
  EXPECT_EQ(RefusalOf("ip.?6/ping", {kIpv6Row}),
            std::string("no row that matches can be measured: ipv6: ") + kReason);
}

TEST(SelectionTest, AnAddressOfAnotherMachineIsNoneToListenOn) {
  EXPECT_THAT(WhyNotListening(kIpv4Family.host), IsEmpty());
  EXPECT_THAT(WhyNotListening(kUnixFamily.host), IsEmpty());
  // This address is reserved for documentation.
  EXPECT_THAT(WhyNotListening("192.0.2.1"), HasSubstr("bind 192.0.2.1:0: "));
}

// Selects rows with options under which no link can be made.
class SelectionWithoutLinkTest : public testing::Test {
 protected:
  ~SelectionWithoutLinkTest() override { benchmark::ClearRegisteredBenchmarks(); }

  Selection Select(const Options& options, const std::vector<std::string>& rows) {
    std::string program = "bench_test";
    Links links(options);
    return SelectModes({options, FrameworkFlags({}), program.data()}, links,
                       [&](std::span<const ServerMode>) {
                         for (const std::string& row : rows) {
                           benchmark::RegisterBenchmark(row.c_str(), [](benchmark::State&) {});
                         }
                       });
  }

  const std::string link_row_ = "Link/tcp_threaded/ping/rtt_us:0";
  const std::string local_row_ = "Latency/tcp_threaded/ping";
};

TEST_F(SelectionWithoutLinkTest, RowsAcrossItAreLeftOutAndTold) {
  Options launched;
  launched.server_launcher = "env";
  Options by_unix;
  by_unix.transport = Transport::kUnix;
  for (const Options& options : {launched, by_unix}) {
    const Selection selection = Select(options, {link_row_, local_row_});
    EXPECT_THAT(selection.rows, ElementsAre(local_row_));
    EXPECT_FALSE(selection.possible.links);
    EXPECT_THAT(selection.notes,
                ElementsAre("unavailable: rows across a link: " + WhyNoLink(options)));
  }
}

TEST_F(SelectionWithoutLinkTest, AFilterThatMatchesNothingElseIsRefused) {
  Options options;
  options.transport = Transport::kUnix;
  EXPECT_EQ(MessageOf<UsageError>([&] { Select(options, {link_row_}); }),
            "no row that matches can be measured: rows across a link: " + WhyNoLink(options));
}

TEST_F(SelectionWithoutLinkTest, OtherRowsNeedNone) {
  Options options;
  options.transport = Transport::kUnix;
  const Selection selection = Select(options, {local_row_});
  EXPECT_TRUE(selection.possible.links);
  EXPECT_THAT(selection.notes, IsEmpty());
}

}  // namespace
}  // namespace rpycbench
