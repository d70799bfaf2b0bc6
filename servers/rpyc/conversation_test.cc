// Tests the native layers against recorded conversations of the Python library, in both dialects.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "servers/net/testing/socket_pair.h"
#include "servers/rpyc/boxing.h"
#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/envelope.h"
#include "servers/rpyc/wire/frame.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

class ConversationTest : public testing::TestWithParam<Dialect> {
 protected:
  // Calls visit(frame's record, plain payload, envelope) for each recorded frame. Returns the
  // number of frames.
  template <class Visit>
  int ForEachFrame(Visit visit) const {
    int frames = 0;
    const auto& dialect = Vectors().at("dialects").at(GetParam() == Dialect::k5 ? "5" : "6");
    for (const auto& conversation : dialect.at("conversations").as_array()) {
      for (const auto& recorded : conversation.at("frames").as_array()) {
        SCOPED_TRACE(std::string(conversation.at("name").as_string()));
        net::SocketPair pair;
        const std::string bytes = FromHex(recorded.at("hex").as_string());
        pair.left.SendAll(bytes.data(), bytes.size());
        FrameReader reader(pair.right, {}, false);
        FrameStorage storage;
        if (!reader.Read(storage, FrameReader::Idle::kFail)) {
          ADD_FAILURE() << "no frame in " << recorded;
          continue;
        }
        Arena arena;
        visit(recorded.as_object(), storage.payload,
              ReadEnvelope(GetParam(), storage.payload, arena, {}));
        ++frames;
      }
    }
    return frames;
  }
};

TEST_P(ConversationTest, EnvelopesSayWhatWasRecorded) {
  const std::map<std::string_view, MessageType> kTypes{{"REQUEST", MessageType::kRequest},
                                                       {"REPLY", MessageType::kReply},
                                                       {"EXCEPTION", MessageType::kException}};
  const int frames = ForEachFrame([&](const auto& recorded, auto payload, const auto& envelope) {
    EXPECT_EQ(DetectDialect(payload), GetParam());
    EXPECT_EQ(kTypes.at(recorded.at("msg").as_string()), envelope.type);
    EXPECT_EQ(envelope.sequence, recorded.at("seq").as_int64());
  });
  EXPECT_GT(frames, 800);
}

TEST_P(ConversationTest, WritingAMessageAgainGivesTheSameBytes) {
  ForEachFrame([&](const auto&, auto payload, const auto& envelope) {
    MessageWriter out;
    out.Clear(0);
    WriteEnvelopeHead(GetParam(), envelope.type, envelope.sequence, out);
    const std::string head(out.bytes());
    EXPECT_TRUE(head + brine::Dump(envelope.body) == payload);
  });
}

TEST_P(ConversationTest, ALongEnvelopeHeadSaysTheSameInOneByteMore) {
  ForEachFrame([&](const auto&, auto payload, const auto& envelope) {
    Arena arena;
    MessageWriter out;
    out.Clear(0);
    WriteLongEnvelopeHead(GetParam(), envelope.type, envelope.sequence, out);
    const std::string longer = std::string(out.bytes()) + brine::Dump(envelope.body);
    EXPECT_EQ(longer.size(), payload.size() + 1);
    const Envelope again = ReadEnvelope(GetParam(), longer, arena, {});
    EXPECT_EQ(again.type, envelope.type);
    EXPECT_EQ(again.sequence, envelope.sequence);
    EXPECT_TRUE(brine::Dump(again.body) == brine::Dump(envelope.body));
  });
}

TEST_P(ConversationTest, ExceptionsAreRead) {
  int exceptions = 0;
  ForEachFrame([&](const auto&, auto, const auto& envelope) {
    if (envelope.type != MessageType::kException) return;
    const PythonError error = vinegar::Read(envelope.body);
    EXPECT_FALSE(error.type().empty());
    if (!error.is("StopIteration")) {
      EXPECT_FALSE(error.traceback().empty());
    }
    ++exceptions;
  });
  EXPECT_GT(exceptions, 15);
}

TEST_P(ConversationTest, ReferencesOfThePeerAreUnboxed) {
  int references = 0;
  ForEachFrame([&](const auto&, auto, const auto& envelope) {
    if (envelope.type != MessageType::kReply) return;
    Message message;
    ObjectTable table(10);
    if (envelope.body.items()[0].integer() != 4) return;
    const Value value = Unbox(envelope.body, table, message);
    ASSERT_TRUE(value.is(Kind::kNetref));
    // Written back, the reference names an object of the receiver: label 3 instead of 4, the rest
    // unchanged.
    MessageWriter out;
    out.Clear(0);
    WriteBoxed(value, table, out);
    std::string expected = brine::Dump(envelope.body);
    expected[1] = brine::SmallInt(3);
    EXPECT_EQ(ToHex(out.bytes()), ToHex(expected));
    ++references;
  });
  EXPECT_GT(references, 100);
}

INSTANTIATE_TEST_SUITE_P(Dialects, ConversationTest, testing::Values(Dialect::k5, Dialect::k6),
                         [](const auto& instance) {
                           return instance.param == Dialect::k5 ? "Rpyc5" : "Rpyc6";
                         });

}  // namespace
}  // namespace rpycbench::rpyc
