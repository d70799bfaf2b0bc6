// Tests both ends of pickles against what Python wrote, and what must be refused. The real library
// judges further protocols and sizes in operations_test.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "servers/net/allocation_count.h"
#include "servers/net/testing/message_of.h"
#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/testing/wire_audit.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/pickle_reader.h"
#include "servers/rpyc/wire/pickle_writer.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc::pickle {
namespace {

using service::Item;
using testing::HasSubstr;

std::string Pickled(std::int64_t protocol, std::size_t count) {
  ListWriter writer(protocol, "operations", "Item", count);
  for (std::size_t i = 0; i < count; ++i) {
    const Item item(static_cast<std::int64_t>(i));
    const Attribute attributes[] = {{"number", Value::Int(item.number)},
                                    {"name", Value::Text(item.name)},
                                    {"weight", Value::Float(item.weight)}};
    writer.Add(attributes);
  }
  return writer.Finish();
}

// Returns whether these are the items 0, 1 … `count` - 1.
testing::AssertionResult AreItems(std::span<const Object> objects, std::size_t count) {
  if (objects.size() != count) return testing::AssertionFailure() << objects.size() << " objects";
  for (std::size_t i = 0; i < count; ++i) {
    const Object& object = objects[i];
    const Item item(static_cast<std::int64_t>(i));
    if (object.module != "operations" || object.name != "Item" || !object.arguments.empty() ||
        object.attributes.size() != 3 || object.Find("number")->integer() != item.number ||
        object.Find("name")->bytes() != item.name || object.Find("weight")->real() != item.weight ||
        object.Find("other") != nullptr) {
      return testing::AssertionFailure() << "object " << i << " is another one";
    }
  }
  return testing::AssertionSuccess();
}

// What CPython 3.11 and 3.13 write for two items by pickle.dumps(items, 2).
constexpr std::string_view kTwoItems =
    "80025d710028636f7065726174696f6e730a4974656d0a7101298171027d71032858060000006e756d6265727104"
    "4b0058040000006e616d65710558060000006974656d2030710658060000007765696768747107473fe000000000"
    "000075626801298171087d71092868044b01680558060000006974656d2031710a6807473ff80000000000007562"
    "652e";

// The pickles in the recordings of both dialects, each of three items.
std::vector<std::string> Recorded() {
  std::vector<std::string> pickles;
  for (const char* dialect : {"5", "6"}) {
    const auto& recorded = Vectors().at("dialects").at(dialect).at("conversations").as_array();
    for (const auto& conversation : recorded) {
      if (conversation.at("name").as_string() != "items_3_obtain") continue;
      bool asked = false;
      for (const auto& frame : conversation.at("frames").as_array()) {
        const std::string payload = PayloadOf(FromHex(frame.at("hex").as_string()));
        if (asked) pickles.push_back(payload.substr(payload.find("\x80\x04")));
        const auto* handler = frame.as_object().if_contains("handler");
        asked = handler != nullptr && handler->as_string() == "PICKLE";
      }
    }
  }
  return pickles;
}

TEST(PickleTest, IsWhatPythonWrites) {
  ASSERT_EQ(Recorded().size(), 2u);
  for (const std::string& recorded : Recorded()) EXPECT_EQ(ToHex(Pickled(4, 3)), ToHex(recorded));
  EXPECT_EQ(ToHex(Pickled(2, 2)), kTwoItems);
  EXPECT_EQ(ToHex(Pickled(4, 0)), "80045d942e");  // too short for a frame
}

TEST(PickleTest, WhatPythonWritesIsRead) {
  ListReader reader;
  for (const std::string& recorded : Recorded()) EXPECT_TRUE(AreItems(reader.Read(recorded), 3));
  EXPECT_TRUE(AreItems(reader.Read(FromHex(kTwoItems)), 2));
}

TEST(PickleTest, WhatIsWrittenIsRead) {
  ListReader reader;
  for (std::int64_t protocol = kOldestProtocol; protocol <= kNewestProtocol; ++protocol) {
    for (const std::size_t count : {0, 1, 2, 300, 1000, 1001, 5000, 65'536}) {
      EXPECT_TRUE(AreItems(reader.Read(Pickled(protocol, count)), count))
          << protocol << ", " << count;
    }
  }
}

TEST(PickleTest, IntegersOfEverySize) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::vector<std::int64_t> integers{0, 255, 256, 65'535, 65'536, -1, Limits::max(), Limits::min()};
  for (int bits = 7; bits < 63; bits += 8) {
    const std::int64_t power = std::int64_t{1} << bits;
    for (const std::int64_t integer : {power - 1, power, -power, -power - 1}) {
      integers.push_back(integer);
    }
  }
  ListWriter writer(4, "a", "B", integers.size());
  for (const std::int64_t integer : integers) {
    const Attribute attributes[] = {{"value", Value::Int(integer)}, {"text", Value::Text("")}};
    writer.Add(attributes);
  }
  const std::string pickle = writer.Finish();
  ListReader reader;
  const std::span<const Object> objects = reader.Read(pickle);
  ASSERT_EQ(objects.size(), integers.size());
  for (std::size_t i = 0; i < integers.size(); ++i) {
    EXPECT_EQ(objects[i].Find("value")->integer(), integers[i]);
  }
}

// As a class with __reduce__ is pickled: protocol 4, [operations.Item(1, "a", 0.5)].
TEST(PickleTest, AnObjectMayBeMadeByArguments) {
  const std::string pickle = FromHex(
      "8004952d000000000000005d948c0a6f7065726174696f6e73948c044974656d9493944b018c016194473fe00000"
      "00"
      "00000087945294612e");
  ListReader reader;
  const std::span<const Object> objects = reader.Read(pickle);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].name, "Item");
  EXPECT_TRUE(objects[0].attributes.empty());
  ASSERT_EQ(objects[0].arguments.size(), 3u);
  EXPECT_EQ(objects[0].arguments[0].integer(), 1);
  EXPECT_EQ(objects[0].arguments[1].bytes(), "a");
  EXPECT_EQ(objects[0].arguments[2].real(), 0.5);
}

std::string ErrorOf(std::string_view pickle, const ReadLimits& limits = {}) {
  ListReader reader;
  return MessageOf<ProtocolError>([&] { reader.Read(pickle, limits); });
}

TEST(PickleTest, WhatIsNotSuchAListIsRefused) {
  const struct {
    std::string_view hex;
    std::string_view error;
  } cases[] = {
      {"", "ends early"},
      {"5d2e", "no protocol"},
      {"80015d2e", "protocol 1"},
      {"80065d2e", "protocol 6"},
      {"80045d", "ends early"},
      {"80045d2e2e", "bytes after the end"},
      {"80042e", "not one value"},
      {"80045d4b002e", "not one value"},
      {"8004285d2e", "not one value"},
      {"80044b002e", "not a list"},
      {"80047d2e", "not a list"},
      {"80045d5d612e", "a second list"},
      {"80045d4b00612e", "an item is not an object"},
      {"80045d6800612e", "an unknown memo"},
      {"80045d9468006800612e", "an item is not an object"},  // a list in itself
      {"80045d7105612e", "memos out of order"},
      {"80045d612e", "a value is missing"},
      {"80045d652e", "a mark is missing"},
      {"80045d28612e", "a value is missing"},
      {"80045d286500", "opcode 0x00"},
      {"80045d4e612e", "opcode 0x4e"},        // None
      {"80045d42000000002e", "opcode 0x42"},  // BINBYTES
      {"80045d284b008a09000000000000000000652e", "beyond 64 bits"},
      {"80045d8c01ff612e", "not UTF-8"},
      {"80045d8c05ff612e", "ends early"},
      {"80045d58ffffffff612e", "ends early"},
      {"80045d4b004b0093612e", "a class without a name"},
      {"80045d4b004b00522e", "an object without a class"},
      {"80045d8c016129522e", "an object without a class"},
      {"80045d8c01618c0162934b00522e", "an object without a class"},
      {"80045d862e", "a value is missing"},
      {"80045d8c01618c016293298129622e", "attributes for something else"},
      {"80045d8c01618c01629329817d627d62612e", "attributes for something else"},
      {"80045d8c01618c01629329817d8c0161732e", "items for something else"},
      {"80045d8c01618c01629329817d288c0161752e", "a name without a value"},
      {"80045d8c01618c01629329817d4b004b0073622e", "something else than names and plain"},
      {"80045d8c01618c01629329817d8c0161297362612e", "something else than names and plain"},
      {"80045d8c01618c016293298581612e", "an argument is not plain"},
      {"80049500000000000000005d2e", "a frame of a wrong length"},
      {"80049503000000000000005d2e", "a frame of a wrong length"},
      {"8004950a000000000000009501000000000000002e", "a frame in a frame"},
      {"80049502000000000000005d4b002e", "ends early"},  // an opcode across the end of a frame
      {"80026361", "a name without an end"},
      {"80045d280000", "opcode 0x00"},
  };
  for (const auto& [hex, error] : cases) {
    EXPECT_THAT(ErrorOf(FromHex(hex)), HasSubstr(std::string(error))) << hex;
  }
}

TEST(PickleTest, APickleCutShortIsRefused) {
  for (const std::int64_t protocol : {2, 4}) {
    const std::string whole = Pickled(protocol, 3);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_THAT(ErrorOf(whole.substr(0, size)), HasSubstr("pickle: ")) << size;
    }
  }
}

TEST(PickleTest, LimitsHold) {
  const std::string items = Pickled(4, 100);
  EXPECT_EQ(ErrorOf(items, {.max_objects = 100}), "");
  EXPECT_THAT(ErrorOf(items, {.max_objects = 99}), HasSubstr("too many objects"));
  EXPECT_THAT(ErrorOf(items, {.max_memo = 100}), HasSubstr("too many memos"));
  EXPECT_THAT(ErrorOf(items, {.max_values = 100}), HasSubstr("too many values"));
  EXPECT_THAT(ErrorOf(items, {.max_depth = 1}), HasSubstr("too"));
  const std::string marks = "\x80\x04" + std::string(9, '(') + ".";
  EXPECT_THAT(ErrorOf(marks), HasSubstr("too many marks"));
  const std::string tuples = "\x80\x04)" + std::string(9, '\x85') + ".";
  EXPECT_THAT(ErrorOf(tuples), HasSubstr("too deep"));
}

// A small pickle must not become a large result: 501 objects share 500 arguments.
TEST(PickleTest, SharedPartsCountEachTime) {
  const auto repeated = [](std::string_view text) {
    std::string all;
    for (int i = 0; i < 500; ++i) all += text;
    return all;
  };
  using namespace std::string_literals;
  const std::string pickle = "\x80\x04]\x8c\x01m\x8c\x01n\x93\x94("s + repeated("K\x01"s) +
                             "t\x94Ra("s + repeated("h\0h\x01R"s) + "e."s;
  EXPECT_EQ(ErrorOf(pickle), "");
  EXPECT_THAT(ErrorOf(pickle, {.max_values = 10'000}), HasSubstr("too many values"));
  EXPECT_EQ(ErrorOf(pickle, {.max_values = 251'000}), "");
}

TEST(PickleTest, ReadingAllocatesNothingInSteadyState) {
  const std::string pickle = Pickled(4, 1000);
  ListReader reader;
  reader.Read(pickle);
  const std::uint64_t before = net::AllocationsSoFar();
  EXPECT_EQ(reader.Read(pickle).size(), 1000u);
  EXPECT_EQ(net::AllocationsSoFar() - before, 0u);
}

}  // namespace
}  // namespace rpycbench::rpyc::pickle
