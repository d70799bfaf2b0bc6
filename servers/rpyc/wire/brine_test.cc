// Tests brine against values that the real Python library has encoded, accepted and refused.
#include "servers/rpyc/wire/brine.h"

#include <gtest/gtest.h>

#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

TEST(BrineTest, WritesWhatPythonWrites) {
  const auto& values = Vectors().at("brine_values").as_array();
  ASSERT_GT(values.size(), 200u);
  for (const auto& recorded : values) {
    Arena arena;
    std::deque<std::string> texts;
    const Value value = ValueOf(recorded.at("value").as_object(), arena, texts);
    EXPECT_EQ(ToHex(brine::Dump(value)), recorded.at("hex").as_string());
  }
}

TEST(BrineTest, ReadsWhatPythonWrites) {
  const brine::ReadLimits limits{.max_depth = 1000};
  for (const auto& recorded : Vectors().at("brine_values").as_array()) {
    Arena arena;
    const std::string bytes = FromHex(recorded.at("hex").as_string());
    // Equal values have equal bytes, so writing again compares every part.
    EXPECT_EQ(ToHex(brine::Dump(brine::Read(bytes, arena, limits))),
              recorded.at("hex").as_string());
  }
}

TEST(BrineTest, ReadsLongerFormsThanItWrites) {
  const auto& accepted = Vectors().at("brine_noncanonical_accept").as_array();
  ASSERT_FALSE(accepted.empty());
  for (const auto& recorded : accepted) {
    Arena arena, expected_arena;
    std::deque<std::string> texts;
    const std::string bytes = FromHex(recorded.at("hex").as_string());
    const Value expected = ValueOf(recorded.at("value").as_object(), expected_arena, texts);
    EXPECT_EQ(ToHex(brine::Dump(brine::Read(bytes, arena))), ToHex(brine::Dump(expected)))
        << recorded.at("name").as_string();
  }
}

TEST(BrineTest, RefusesEveryMalformedRecording) {
  int refused = 0;
  for (const auto& recorded : Vectors().at("malformed").as_array()) {
    if (recorded.at("layer").as_string() != "brine") continue;
    Arena arena;
    const std::string bytes = FromHex(recorded.at("hex").as_string());
    EXPECT_THROW(brine::Read(bytes, arena), ProtocolError) << recorded.at("name").as_string();
    ++refused;
  }
  EXPECT_GT(refused, 50);
}

TEST(BrineTest, RefusesEveryTruncationOfEveryRecording) {
  for (const auto& recorded : Vectors().at("brine_values").as_array()) {
    const std::string bytes = FromHex(recorded.at("hex").as_string());
    if (bytes.size() > 600) continue;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Arena arena;
      EXPECT_THROW(brine::Read(std::string_view(bytes).substr(0, size), arena, {.max_depth = 1000}),
                   ProtocolError)
          << recorded.at("hex").as_string() << " cut to " << size;
    }
  }
}

TEST(BrineTest, DepthIsBounded) {
  Arena arena;
  const std::string at_limit = std::string(128, '\x10') + '\x00';
  EXPECT_NO_THROW(brine::Read(at_limit, arena));
  EXPECT_THROW(brine::Read('\x10' + at_limit, arena), ProtocolError);
  const std::string frozen_sets = std::string(200, '\x1a') + '\x02';
  EXPECT_THROW(brine::Read(frozen_sets, arena), ProtocolError);
}

TEST(BrineTest, NumberOfItemsIsBounded) {
  Arena arena;
  std::string tuple = FromHex("1500000400") + std::string(1024, '\x00');
  EXPECT_NO_THROW(brine::Read(tuple, arena, {.max_items = 1024}));
  EXPECT_THROW(brine::Read(tuple, arena, {.max_items = 1023}), ProtocolError);
}

TEST(BrineTest, PiecesAreOneByteString) {
  const std::string first(20'000, 'a'), second = "b";
  const iovec pieces[] = {{const_cast<char*>(first.data()), first.size()},
                          {const_cast<char*>(second.data()), second.size()}};
  EXPECT_TRUE(brine::Dump(Value::Pieces(pieces)) == brine::Dump(Value::Bytes(first + second)));
  EXPECT_EQ(brine::Dump(Value::Pieces({})), brine::Dump(Value::Bytes({})));
}

}  // namespace
}  // namespace rpycbench::rpyc
