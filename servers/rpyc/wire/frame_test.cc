// Tests frames in both directions over socket pairs, with zlib as the reference for compressed
// ones.
#include "servers/rpyc/wire/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <thread>

#include "servers/net/testing/socket_pair.h"
#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/service/payload.h"

namespace rpycbench::rpyc {
namespace {

using service::Payload;
using service::PayloadKind;

std::string Written(const std::string& payload, Compression compression) {
  net::SocketPair pair;
  std::string bytes;
  std::thread reader([&] { bytes = Drain(pair.right); });
  FrameWriter writer(pair.left, compression);
  writer.Begin().Refer(payload);
  writer.Send();
  pair.left.Close();
  reader.join();
  return bytes;
}

// Reads all frames in `bytes`, which arrive in pieces of `piece` bytes. Returns their payloads.
std::vector<std::string> ReadAll(const std::string& bytes, const Limits& limits = {},
                                 std::size_t piece = 1 << 20) {
  net::SocketPair pair;
  std::thread sender([&] {
    try {
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        pair.left.SendAll(bytes.data() + at, std::min(piece, bytes.size() - at));
      }
      pair.left.ShutdownSend();
    } catch (const net::Error&) {
      // The reader refused and closed, which some tests expect.
    }
  });
  struct Join {
    net::SocketPair& pair;
    std::thread& thread;
    ~Join() {
      pair.right.Close();
      thread.join();
    }
  } const join{pair, sender};
  FrameReader reader(pair.right, limits, false);
  std::vector<std::string> payloads;
  FrameStorage storage;
  while (reader.Read(storage, FrameReader::Idle::kFail)) payloads.emplace_back(storage.payload);
  return payloads;
}

std::string Inflate(std::string_view stream, std::size_t size) {
  std::string plain(size, '\0');
  uLongf plain_size = size;
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(plain.data()), &plain_size,
                       reinterpret_cast<const Bytef*>(stream.data()), stream.size()),
            Z_OK);
  plain.resize(plain_size);
  return plain;
}

// Inflates the payload of a whole frame, which must be compressed.
std::string InflatePayload(std::string_view frame, std::size_t size) {
  EXPECT_EQ(frame[4], 1);
  return Inflate(frame.substr(5, frame.size() - 6), size);
}

TEST(FrameTest, SmallPayloadsGoPlain) {
  EXPECT_EQ(ToHex(Written("hello", Compression::kPython)), "000000050068656c6c6f0a");
}

TEST(FrameTest, CompressionStartsAbove3000Bytes) {
  EXPECT_EQ(Written(std::string(3000, 'a'), Compression::kPython).size(), 3006u);
  const std::string packed = Written(std::string(3001, 'a'), Compression::kPython);
  ASSERT_LT(packed.size(), 3001u);
  EXPECT_EQ(packed.back(), '\n');
  EXPECT_EQ(InflatePayload(packed, 4000), std::string(3001, 'a'));
  EXPECT_EQ(Written(std::string(3001, 'a'), Compression::kOff).size(), 3007u);
}

TEST(FrameTest, AThresholdSaysWhereCompressionStarts) {
  const Compression above_10{10};
  EXPECT_EQ(Written(std::string(10, 'a'), above_10).size(), 16u);
  EXPECT_EQ(Written(std::string(11, 'a'), above_10)[4], 1);
  const Compression above_5000{5000};
  EXPECT_EQ(Written(std::string(5000, 'a'), above_5000).size(), 5006u);
  EXPECT_EQ(Written(std::string(5001, 'a'), above_5000)[4], 1);
}

TEST(FrameTest, CompressionsAreReadAsTheyAreWritten) {
  for (const Compression& compression :
       {Compression::kPython, Compression::kOff, Compression{0}, Compression{65536}}) {
    EXPECT_EQ(ParseCompression(ToString(compression)), compression) << ToString(compression);
  }
  EXPECT_EQ(ToString(Compression{65536}), "threshold:65536");
  for (const char* text : {"", "on", "threshold", "threshold:", "threshold:-1", "threshold:1k",
                           "threshold:4294967296"}) {
    EXPECT_EQ(ParseCompression(text), std::nullopt) << text;
  }
}

TEST(FrameTest, ZlibInflatesWhatIsWritten) {
  for (const PayloadKind kind : {PayloadKind::kZeros, PayloadKind::kText, PayloadKind::kRandom}) {
    const std::string payload = Payload::Of(kind, 3'000'000).ToString();
    EXPECT_TRUE(InflatePayload(Written(payload, Compression::kPython), payload.size()) == payload);
  }
}

TEST(FrameTest, PiecesOfAnySizesMakeOneStream) {
  const std::string whole = Payload::Of(PayloadKind::kRandom, 5'000'000).ToString();
  // In turn: all long, all short, and long ones after many short ones.
  const std::vector<std::size_t> mixed{5, 70'000, 5, 3'000, 90'000, 700'000, 40, 20'000, 1};
  for (const auto& sizes : {std::vector<std::size_t>{1 << 20}, {40'000, 5}, mixed}) {
    std::vector<iovec> pieces;
    for (std::size_t at = 0, i = 0; at < whole.size(); ++i) {
      const std::size_t size = std::min(sizes[i % sizes.size()], whole.size() - at);
      pieces.push_back({const_cast<char*>(whole.data()) + at, size});
      at += size;
    }
    Deflater deflater;
    net::Buffer packed;
    deflater.Compress(pieces, packed);
    EXPECT_TRUE(Inflate(packed.view(), whole.size()) == whole) << pieces.size() << " pieces";
    EXPECT_LT(packed.size(), whole.size() + whole.size() / 1000);
  }
}

TEST(FrameTest, ReadsWhatIsWrittenInAnyPieces) {
  const std::string small = "hello";
  const std::string large = Payload::Of(PayloadKind::kText, 200'000).ToString();
  const std::string bytes = Written(small, Compression::kPython) +
                            Written(large, Compression::kPython) +
                            Written(large, Compression::kOff) + Written(small, Compression::kOff);
  for (const std::size_t piece : {7u, 1000u, 65'536u, 1'000'000u}) {
    const auto payloads = ReadAll(bytes, {}, piece);
    ASSERT_EQ(payloads.size(), 4u) << piece;
    EXPECT_EQ(payloads[0], small);
    EXPECT_TRUE(payloads[1] == large && payloads[2] == large);
    EXPECT_EQ(payloads[3], small);
  }
}

TEST(FrameTest, ReadsWhatZlibCompressed) {
  const std::string payload = Payload::Of(PayloadKind::kText, 1'000'000).ToString();
  for (const int level : {1, 6, 9}) {
    std::string packed(compressBound(payload.size()), '\0');
    uLongf size = packed.size();
    compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
              reinterpret_cast<const Bytef*>(payload.data()), payload.size(), level);
    packed.resize(size);
    std::string frame;
    for (int i = 3; i >= 0; --i) frame += static_cast<char>(size >> (8 * i));
    const auto payloads = ReadAll(frame + '\x01' + packed + '\n');
    ASSERT_EQ(payloads.size(), 1u);
    EXPECT_TRUE(payloads[0] == payload);
  }
}

TEST(FrameTest, RefusesEveryMalformedRecording) {
  int refused = 0;
  for (const auto& recorded : Vectors().at("malformed").as_array()) {
    if (recorded.at("layer").as_string() != "frame") continue;
    EXPECT_ANY_THROW(ReadAll(FromHex(recorded.at("hex").as_string())))
        << recorded.at("name").as_string();
    ++refused;
  }
  EXPECT_GT(refused, 10);
}

TEST(FrameTest, StopsADeflateBombAtTheLimit) {
  const std::string bomb = Written(std::string(64 << 20, '\0'), Compression::kPython);
  ASSERT_LT(bomb.size(), 1u << 20);
  EXPECT_THROW(ReadAll(bomb, {.max_message_bytes = (64 << 20) - 1}), ProtocolError);
  EXPECT_EQ(ReadAll(bomb, {.max_message_bytes = 64 << 20}).size(), 1u);
}

TEST(FrameTest, RefusesALengthAboveTheLimitBeforeReadingOn) {
  EXPECT_THAT([] { ReadAll(FromHex("ffffffff00")); },
              testing::ThrowsMessage<ProtocolError>(testing::HasSubstr("4294967295")));
}

TEST(FrameTest, TellsAResetInsideAFrameFromOneBetweenFrames) {
  for (const bool inside : {false, true}) {
    net::SocketPair pair;
    pair.right.SendAll("unread", 6);  // unread bytes turn the close into a reset
    pair.left.SendAll("\0\0\0\1\0a\n\0\0", inside ? 9 : 7);
    pair.left.Close();
    FrameReader reader(pair.right, {}, false);
    FrameStorage storage;
    ASSERT_TRUE(reader.Read(storage, FrameReader::Idle::kWaitOn));
    if (inside) {
      EXPECT_THROW(reader.Read(storage, FrameReader::Idle::kWaitOn), net::EndOfStream);
    } else {
      EXPECT_THROW(reader.Read(storage, FrameReader::Idle::kWaitOn), net::Error);
    }
  }
}

TEST(FrameTest, AFrameAboveASmallThresholdDoesNotWait) {
  net::SocketPair pair;
  FrameWriter writer(pair.left, Compression{10});
  writer.Begin().Copy(std::string(11, 'a'));
  writer.SendLater();
  EXPECT_EQ(writer.totals().compressed, 1u);
  EXPECT_EQ(pair.left.bytes_sent(), writer.totals().bytes);
}

TEST(FrameTest, FramesThatMayWaitLeaveWithTheNext) {
  net::SocketPair pair;
  FrameWriter writer(pair.left, Compression::kOff);
  writer.Begin().Copy("first");
  writer.SendLater();
  EXPECT_EQ(pair.left.bytes_sent(), 0u);
  writer.Begin().Copy("second");
  writer.Send();
  writer.Begin().Copy("third");
  writer.SendLater();
  writer.Flush();
  pair.left.Close();
  FrameReader reader(pair.right, {}, false);
  FrameStorage storage;
  for (const char* expected : {"first", "second", "third"}) {
    ASSERT_TRUE(reader.Read(storage, FrameReader::Idle::kFail));
    EXPECT_EQ(storage.payload, expected);
  }
  EXPECT_FALSE(reader.Read(storage, FrameReader::Idle::kFail));
}

TEST(FrameTest, WaitsOnWhenIdleAndFailsInTheMiddle) {
  net::SocketPair pair;
  pair.right.SetTimeout(std::chrono::milliseconds(20));
  FrameReader reader(pair.right, {}, false);
  FrameStorage storage;
  EXPECT_THROW(reader.Read(storage, FrameReader::Idle::kFail), net::Error);
  std::thread peer([&] {
    // Long enough for several time-outs of the reader, which must ignore them.
    std::this_thread::sleep_for(std::chrono::milliseconds(70));
    pair.left.SendAll("\0\0\0\1\0a\n\0\0", 9);
  });
  EXPECT_TRUE(reader.Read(storage, FrameReader::Idle::kWaitOn));
  EXPECT_EQ(storage.payload, "a");
  EXPECT_THROW(reader.Read(storage, FrameReader::Idle::kWaitOn), net::Error);
  peer.join();
}

}  // namespace
}  // namespace rpycbench::rpyc
