// Tests the two ends of one connection, each with its own thread: the benchmark service on one, a
// client on the other. Further tests feed a server session with raw bytes.
#include "servers/rpyc/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <thread>

#include "servers/net/allocation_count.h"
#include "servers/net/testing/message_of.h"
#include "servers/net/testing/socket_pair.h"
#include "servers/rpyc/benchmark_root.h"
#include "servers/rpyc/bytes_list.h"
#include "servers/rpyc/session.h"
#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/testing/wire_audit.h"
#include "servers/rpyc/wire/brine.h"

namespace rpycbench::rpyc {
namespace {

using service::Payload;
using service::PayloadKind;
using Values = std::initializer_list<Value>;

class ConnectionTest : public testing::TestWithParam<Dialect> {
 protected:
  ConnectionTest()
      : service_(PayloadKind::kText, {.max_bytes = 10'000'000}), server_([this] {
          server_end_.emplace(pair_.right, ConnectionOptions{},
                              std::make_shared<BenchmarkRoot>(service_));
          server_end_->Serve();
          exported_at_end_ = server_end_->objects().size();
          server_end_.reset();
          pair_.right.Close();
        }) {
    client_.emplace(pair_.left,
                    ConnectionOptions{
                        .dialect = GetParam(), .compression = Compression::kPython, .limits = {}});
    root_ = client_->Root();
  }

  ~ConnectionTest() override { EndSession(); }

  void EndSession() {
    if (!server_.joinable()) return;
    client_->SendClose();
    server_.join();
  }

  Connection& client() { return *client_; }
  Reply Request(Handler handler, Values arguments) {
    return client_->Request(handler, {arguments.begin(), arguments.size()});
  }
  // Calls a method of the server's root.
  Reply Call(std::string_view method, Values arguments = {}) {
    return client_->CallAttr(root_, method, {arguments.begin(), arguments.size()});
  }
  Netref ListOfChunks(std::int64_t size, std::int64_t chunk_bytes) {
    return client_->Take(
        Call("download_file_chunked", {Value::Int(size), Value::Int(chunk_bytes)}));
  }
  void ExpectItServes() { EXPECT_EQ(Call("ping").value().bytes(), "pong"); }

  service::Service service_;
  net::SocketPair pair_;
  std::optional<Connection> server_end_;
  std::size_t exported_at_end_ = 0;
  std::thread server_;
  std::optional<Connection> client_;
  Netref root_;
};

TEST_P(ConnectionTest, CallsInAllThreeWays) {
  ExpectItServes();
  EXPECT_EQ(Call("exposed_ping").value().bytes(), "pong");
  const Netref bound = client().GetAttr(root_, "ping");
  EXPECT_EQ(client().Call(bound).value().bytes(), "pong");
  EXPECT_EQ(client().Call(bound).value().bytes(), "pong");
  EXPECT_EQ(client().round_trips(), 6u);
}

TEST_P(ConnectionTest, EchoesEveryRecordedValue) {
  for (const auto& recorded : Vectors().at("brine_values").as_array()) {
    Arena arena;
    std::deque<std::string> texts;
    const Value value = ValueOf(recorded.at("value").as_object(), arena, texts);
    // With its envelope, this value is nested more deeply than a connection accepts.
    if (brine::Dump(value).find(std::string(110, '\x10')) != std::string::npos) continue;
    const Reply reply = Call("echo", {value});
    EXPECT_EQ(ToHex(brine::Dump(reply.value())), recorded.at("hex").as_string());
  }
}

TEST_P(ConnectionTest, MovesLargePayloadsBothWays) {
  const Payload payload = Payload::Of(PayloadKind::kText, 5'000'000);
  std::vector<iovec> pieces;
  payload.AppendPieces(pieces);
  const Value data = Value::Pieces(pieces);
  EXPECT_EQ(Call("upload", {data}).value().integer(), 5'000'000);
  EXPECT_TRUE(payload.Matches(Call("echo", {data}).value().bytes()));
  const Reply down = Call("download_file", {Value::Int(5'000'000)});
  EXPECT_TRUE(payload.Matches(down.value().bytes()));
}

TEST_P(ConnectionTest, PassesAListByReferenceAndServesItWhileWaiting) {
  const auto list =
      std::make_shared<BytesList>(service::Chunks{Payload::Of(PayloadKind::kText, 8), 3});
  const Value reference = Value::Local(*list);
  EXPECT_EQ(Call("upload_file_chunked", {reference}).value().integer(), 8);
  // GETROOT, the call, and the server's __iter__ and four __next__; the last finds the end.
  EXPECT_EQ(client().round_trips(), 7u);
  // An object that comes back is the same object.
  const Reply echoed = Call("echo", {reference});
  ASSERT_TRUE(echoed.value().is(Kind::kObject));
  EXPECT_EQ(&echoed.value().object(), list.get());
  // The server releases the references it received. Later traffic shows this to the client.
  Call("ping");
  Call("ping");
  EXPECT_EQ(client().objects().size(), 0u);
}

TEST_P(ConnectionTest, FetchesAListByReference) {
  const Netref list = ListOfChunks(1000, 300);
  EXPECT_EQ(client().CallAttr(list, "__len__").value().integer(), 4);
  const Netref iterator = client().Take(client().CallAttr(list, "__iter__"));
  std::string joined;
  for (int i = 0; i < 4; ++i) joined += client().CallAttr(iterator, "__next__").value().bytes();
  EXPECT_TRUE(Payload::Of(PayloadKind::kText, 1000).Matches(joined));
  EXPECT_EQ(MessageOf<PythonError>([&] { client().CallAttr(iterator, "__next__"); }),
            "StopIteration");
}

TEST_P(ConnectionTest, FetchesItemsInBulk) {
  const Netref list = ListOfChunks(1000, 100);
  const Netref iterator = client().Take(client().CallAttr(list, "__iter__"));
  std::vector<std::size_t> counts;
  for (const std::int64_t count : {4, 4, 4, 4}) {
    const Reply items = Request(Handler::kBuffIter, {iterator.value(), Value::Int(count)});
    counts.push_back(items.value().items().size());
  }
  EXPECT_EQ(counts, (std::vector<std::size_t>{4, 4, 2, 0}));
}

TEST_P(ConnectionTest, SlicesListsAsPythonDoes) {
  const Netref list = ListOfChunks(10, 1);
  const std::string text = Payload::Of(PayloadKind::kText, 10).ToString();
  const auto slice = [&](Value start, Value stop, Value step) {
    const Value parts[] = {start, stop, step};
    const Value index[] = {Value::Slice(parts)};
    const Netref part = client().Take(client().CallAttr(list, "__getitem__", index));
    const Reply items = Request(Handler::kBuffIter, {part.value(), Value::Int(100)});
    std::string joined;
    for (const Value& item : items.value().items()) joined += item.bytes();
    return joined;
  };
  const Value none = Value::None();
  EXPECT_EQ(slice(none, none, none), text);
  EXPECT_EQ(slice(Value::Int(2), Value::Int(5), none), text.substr(2, 3));
  EXPECT_EQ(slice(Value::Int(-3), none, none), text.substr(7));
  EXPECT_EQ(slice(none, none, Value::Int(-1)), std::string(text.rbegin(), text.rend()));
  EXPECT_EQ(slice(none, none, Value::Int(INT64_MIN)), text.substr(9));
  EXPECT_EQ(slice(Value::Int(100), Value::Int(200), none), "");
  EXPECT_EQ(slice(none, Value::Int(3), Value::Int(2)), std::string() + text[0] + text[2]);
}

TEST_P(ConnectionTest, RaisesWhatPythonRaises) {
  EXPECT_EQ(MessageOf<PythonError>([&] { Call("sleep", {Value::Int(-1)}); }),
            "ValueError: sleep length must not be negative");
  EXPECT_EQ(MessageOf<PythonError>([&] { client().GetAttr(root_, "nope"); }),
            "AttributeError: 'BenchmarkService' object has no attribute 'nope'");
  EXPECT_EQ(MessageOf<PythonError>([&] { client().GetAttr(root_, "__class__"); }),
            "AttributeError: cannot access '__class__'");
  EXPECT_EQ(MessageOf<PythonError>([&] { Call("upload"); }),
            "TypeError: upload() missing required argument: 'data'");
  const Value root = root_.value(), one = Value::Int(1);
  EXPECT_EQ(MessageOf<PythonError>([&] {
              Request(Handler::kPickle, {root, one});
            }),
            "ValueError: pickling is disabled");
  EXPECT_EQ(MessageOf<PythonError>([&] {
              Request(Handler::kSetAttr, {root, Value::Text("x"), one});
            }),
            "AttributeError: access denied");
  ExpectItServes();  // it still serves
}

TEST_P(ConnectionTest, CountsReferencesExactly) {
  for (int i = 0; i < 1000; ++i) client().GetAttr(root_, "ping");
  {
    const Netref first = client().GetAttr(root_, "ping");
    Netref second = client().GetAttr(root_, "ping");
    EXPECT_EQ(first.id(), second.id());  // the same method is the same object
    second.Release();
    EXPECT_EQ(client().Call(first).value().bytes(), "pong");
  }
  // References that are not taken over are released as well.
  for (int i = 0; i < 100; ++i) Call("download_file_chunked", {Value::Int(10), Value::Int(1)});
  Call("ping");
  EndSession();
  EXPECT_EQ(exported_at_end_, 1u);  // the root alone
}

TEST_P(ConnectionTest, InspectionTellsNothingOfEarlierMessages) {
  const std::vector<Value> secrets(60, Value::Text("secret"));
  Call("echo", {Value::Tuple(secrets)});
  const Value id[] = {Value::Text(root_.id().name), Value::Int(root_.id().class_id),
                      Value::Int(root_.id().instance_id)};
  const Reply members = Request(Handler::kInspect, {Value::Tuple(id)});
  EXPECT_FALSE(members.value().items().empty());
  for (const Value& member : members.value().items()) {
    EXPECT_TRUE(member.items()[1].is(Kind::kNone)) << member.items()[0].bytes();
  }
}

TEST_P(ConnectionTest, RefusesNamesThatNoComplaintCouldRepeat) {
  const std::string endless(1'000'000, 'a');
  for (const Value name : {Value::Bytes("\xff"), Value::Text(endless)}) {
    EXPECT_EQ(MessageOf<PythonError>([&] {
                Request(Handler::kGetAttr, {root_.value(), name});
              }),
              "ValueError: a name is too long or not UTF-8");
  }
}

// An object of the client that runs the test's script whenever one of its methods is called.
class Scripted : public Object {
 public:
  explicit Scripted(std::function<Value(Scope&)> script) : script_(std::move(script)) {}
  std::string_view class_name() const override { return "builtins.list"; }
  Value CallAttr(Scope& scope, std::string_view, const Arguments&) override {
    return script_(scope);
  }

 private:
  std::function<Value(Scope&)> script_;
};

TEST_P(ConnectionTest, LengthsAPeerMadeUpAreChecked) {
  std::int64_t length = INT64_MAX;
  const auto list = std::make_shared<Scripted>([&](Scope&) { return Value::Int(length); });
  const Value lists[] = {Value::Local(*list), Value::Local(*list)};
  const auto upload = [&] { Call("upload_file_chunked", {Value::Tuple(lists)}); };
  EXPECT_EQ(MessageOf<PythonError>(upload),
            "ValueError: size 9223372036854775807 is above the limit of 10000000 bytes");
  length = -1;
  EXPECT_EQ(MessageOf<PythonError>(upload), "ValueError: __len__() should return >= 0");
}

// The server waits for an answer when the client leaves. Its session must end without an exception.
TEST_P(ConnectionTest, APeerMayCloseInsteadOfAnswering) {
  const auto list = std::make_shared<Scripted>([](Scope& scope) -> Value {
    scope.connection().SendClose();
    return Value::None();
  });
  EXPECT_ANY_THROW(Call("upload_file_chunked", {Value::Local(*list)}));
}

TEST_P(ConnectionTest, APeerMayLeaveInsteadOfAnswering) {
  const auto list = std::make_shared<Scripted>([this](Scope&) -> Value {
    pair_.left.ShutdownSend();
    throw net::EndOfStream("the test's", pair_.left.peer());
  });
  EXPECT_THROW(Call("upload_file_chunked", {Value::Local(*list)}), net::EndOfStream);
  server_.join();
}

TEST_P(ConnectionTest, RefusesReferencesNobodyHolds) {
  const Reference unknown{{"builtins.method", 1, 4711}};
  const Value callee = Value::Remote(unknown), none = Value::Tuple({});
  EXPECT_EQ(MessageOf<PythonError>([&] {
              Request(Handler::kCall, {callee, none, none});
            }).substr(0, 9),
            "KeyError:");
  EXPECT_EQ(MessageOf<PythonError>([&] {
              Request(Handler::kDel, {root_.value(), Value::Int(0)});
            }),
            "KeyError: cannot release 0 references");
}

// The Python library does the same: it counts from zero and forgets the object below zero.
TEST_P(ConnectionTest, MoreReleasesThanReferencesForgetTheObject) {
  const Netref list = ListOfChunks(10, 1);
  const Reply released = Request(Handler::kDel, {list.value(), Value::Int(7)});
  EXPECT_TRUE(released.value().is(Kind::kNone));
  for (const Handler handler : {Handler::kDel, Handler::kRepr}) {
    EXPECT_EQ(MessageOf<PythonError>([&] { Request(handler, {list.value()}); }).substr(0, 9),
              "KeyError:");
  }
  ExpectItServes();
}

TEST_P(ConnectionTest, ManyRequestsMayBeUnderWay) {
  const auto send = [&](std::int64_t number) {
    const Value data[] = {Value::Int(number)};
    const Value request[] = {root_.value(), Value::Text("echo"), Value::Tuple(data),
                             Value::Tuple({})};
    return client().RequestLater(Handler::kCallAttr, request);
  };
  std::vector<PendingReply> pending;
  for (std::int64_t i = 0; i < 100; ++i) pending.push_back(send(i));
  for (std::int64_t i = 99; i >= 0; i -= 2) {
    EXPECT_EQ(pending[static_cast<std::size_t>(i)].Wait().value().integer(), i);
  }
  EXPECT_EQ(client().round_trips(), 51u);
  pending.clear();  // half of the answers are never fetched
  EXPECT_EQ(send(7).Wait().value().integer(), 7);
}

TEST_P(ConnectionTest, AnswersNobodyFetchesReleaseWhatTheyBring) {
  const Value arguments[] = {Value::Int(10), Value::Int(1)};
  const Value request[] = {root_.value(), Value::Text("download_file_chunked"),
                           Value::Tuple(arguments), Value::Tuple({})};
  {
    const PendingReply arrived = client().RequestLater(Handler::kCallAttr, request);
    Call("ping");  // the answer to the first arrives before
  }
  client().RequestLater(Handler::kCallAttr, request);  // dropped before its answer comes
  Call("ping");
  Call("ping");  // after the releases
  EndSession();
  EXPECT_EQ(exported_at_end_, 1u);  // the root alone
}

TEST_P(ConnectionTest, RequestsUnderWayFailWhenThePeerLeaves) {
  const Value request[] = {Value::Int(1)};
  net::SocketPair silent;
  Connection lonely(silent.left, {.dialect = GetParam(), .limits = {}});
  PendingReply first = lonely.RequestLater(Handler::kPing, request);
  PendingReply second = lonely.RequestLater(Handler::kPing, request);
  silent.right.ShutdownSend();
  EXPECT_THROW(second.Wait(), net::EndOfStream);
  EXPECT_THROW(first.Wait(), net::EndOfStream);
}

TEST_P(ConnectionTest, UnknownHandlersAreRefusedAndTheConnectionGoesOn) {
  for (const int number : {0, 21, 159}) {
    EXPECT_EQ(MessageOf<PythonError>([&] { Request(static_cast<Handler>(number), {}); }),
              "KeyError: unknown handler " + std::to_string(number));
  }
  ExpectItServes();
}

TEST_P(ConnectionTest, SteadyStateAllocatesNothing) {
  const Netref ping = client().GetAttr(root_, "ping");
  const auto python_ping = [&] {
    const Netref bound = client().GetAttr(root_, "ping");
    return client().Call(bound).value().bytes() == "pong";
  };
  for (int i = 0; i < 10; ++i) {
    client().Call(ping);
    Call("ping");
    python_ping();
  }
  const std::size_t before = net::AllocationsSoFar();
  bool right = true;
  for (int i = 0; i < 1000; ++i) {
    right = right && client().Call(ping).value().bytes() == "pong";
    right = right && Call("ping").value().bytes() == "pong";
    right = right && python_ping();
  }
  const std::size_t allocations = net::AllocationsSoFar() - before;
  EXPECT_TRUE(right);
  EXPECT_EQ(allocations, 0u);
}

INSTANTIATE_TEST_SUITE_P(Dialects, ConnectionTest, testing::Values(Dialect::k5, Dialect::k6),
                         [](const auto& instance) {
                           return instance.param == Dialect::k5 ? "Rpyc5" : "Rpyc6";
                         });

// Returns what a server session that is fed with these bytes answers before it closes. `error` says
// why it closed.
std::string AnswerTo(const std::string& frames, std::string* error) {
  net::SocketPair pair;
  const service::Service service;
  std::thread server([&] {
    Connection connection(pair.right, {}, std::make_shared<BenchmarkRoot>(service));
    *error = MessageOf<ProtocolError>([&] { connection.Serve(); });
    pair.right.ShutdownSend();
  });
  pair.left.SendAll(frames.data(), frames.size());
  pair.left.ShutdownSend();
  const std::string answer = Drain(pair.left);
  server.join();
  return answer;
}

TEST(MalformedTest, EveryMalformedMessageIsRefusedAndNoneIsAnsweredWithAResult) {
  int refused = 0;
  for (const auto& recorded : Vectors().at("malformed").as_array()) {
    if (recorded.at("layer").as_string() != "message") continue;
    SCOPED_TRACE(std::string(recorded.at("name").as_string()));
    const Dialect dialect = recorded.at("dialect").as_int64() == 5 ? Dialect::k5 : Dialect::k6;
    // A well-formed request first decides the dialect. Its answer comes first.
    std::string error;
    const std::string get_root =
        FrameOf(FromHex(dialect == Dialect::k5 ? "1251501153115102" : "0111501153115102"));
    const std::string first = AnswerTo(get_root, &error);
    ASSERT_EQ(error, "");
    const std::string both = AnswerTo(get_root + FromHex(recorded.at("hex").as_string()), &error);
    ASSERT_TRUE(both.starts_with(first));
    const std::string answer = both.substr(first.size());
    if (answer.empty()) {
      EXPECT_NE(error, "");
    } else {
      Arena arena;
      const std::string payload = PayloadOf(answer);
      EXPECT_EQ(ReadEnvelope(dialect, payload, arena, {}).type, MessageType::kException);
    }
    ++refused;
  }
  EXPECT_GT(refused, 30);
}

// A peer that sends raw bytes, and the service on the other side.
class RawPeerTest : public testing::Test {
 protected:
  void Start(const Limits& limits) {
    server_ = std::thread([this, limits] {
      complaint_ = MessageOf<std::exception>([&] {
        Connection connection(pair_.right, {.limits = limits},
                              std::make_shared<BenchmarkRoot>(service_));
        connection.Serve();
      });
      pair_.right.Close();
    });
  }
  ~RawPeerTest() override { End(); }
  // Closes this end and returns the error that ended the connection, if there was one.
  std::string End() {
    pair_.left.Close();
    if (server_.joinable()) server_.join();
    return complaint_;
  }
  void Send(std::string_view payload) {
    const std::string frame = FrameOf(payload);
    try {
      pair_.left.SendAll(frame.data(), frame.size());
    } catch (const net::Error&) {
      // The server has ended the connection, and its error says why.
    }
  }
  // Returns the next payload, or nothing if the server has ended the connection.
  std::string Receive() {
    FrameStorage storage;
    try {
      if (!reader_.Read(storage, FrameReader::Idle::kFail)) return {};
    } catch (const net::Error&) {
      return {};
    }
    return std::string(storage.payload);
  }

  net::SocketPair pair_;
  service::Service service_;
  FrameReader reader_{pair_.left, {}, false};
  std::string complaint_;
  std::thread server_;
};

std::string Threads(std::uint64_t from, std::uint64_t to) {
  std::string text;
  for (const std::uint64_t number : {from, to}) {
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
  }
  return text;
}

// The bytes of a CALLATTR of upload_file_chunked whose last argument is a list of the peer.
std::string CallOfUpload(const std::string& before_the_list) {
  return FromHex("1158115213115312080f0000001a") + "rpycbench.BenchmarkService" +
         FromHex("51511151080f00000013") + "upload_file_chunked" + before_the_list +
         FromHex("115412080f0000000d") + "builtins.list" + FromHex("5758115102");
}

// The bytes that rpyc 6.0.1 and 5.3.1 send with bind_threads: GETROOT, and a call. Each message
// back is for the thread that asked, and the server has one thread.
TEST_F(RawPeerTest, APeerThatBindsThreadsIsAnsweredInKind) {
  constexpr std::uint64_t kThread = 0x7f12'3456'7890, kOther = 0x7f12'3456'8000;
  for (const Dialect dialect : {Dialect::k5, Dialect::k6}) {
    pair_ = net::SocketPair();
    Start({});
    const std::string reply_head = dialect == Dialect::k5 ? "\x12\x52" : "\x02\x11";
    const std::string request_head = dialect == Dialect::k5 ? "\x12\x51" : "\x01\x11";
    Send(Threads(kThread, 0) + request_head + FromHex("501153115102"));
    const std::string root = Receive();
    EXPECT_EQ(root.substr(0, 16), Threads(1, kThread));
    EXPECT_EQ(root.substr(16, 2), reply_head);
    Send(Threads(kOther, 1) + request_head + "\x51" + CallOfUpload(FromHex("115210")));
    const std::string question = Receive();  // CALLATTR __iter__
    EXPECT_EQ(question.substr(0, 16), Threads(1, kOther));
    EXPECT_EQ(question.substr(16, 2), request_head);
    EXPECT_NE(question.find("__iter__"), std::string::npos);
    EXPECT_EQ(End(), "");
  }
}

TEST_F(RawPeerTest, AMessageWithoutThreadsEndsAConnectionThatNamesThem) {
  Start({});
  Send(Threads(7, 0) + FromHex("1251501153115102"));
  Receive();
  Send(FromHex("1251511153115102"));
  Receive();
  EXPECT_EQ(End(), "envelope: the message names no threads");
}

TEST_F(RawPeerTest, TlsIsToldAtOnce) {
  Start({});
  const std::string hello = FromHex("160301020001") + std::string(100, 'x');
  pair_.left.SendAll(hello.data(), hello.size());
  EXPECT_EQ(Receive(), "");
  EXPECT_EQ(End(), "frame: the peer speaks TLS, and this end does not");
}

// The arguments are a large plain value and a list of the peer, for whose items the server waits.
TEST_F(RawPeerTest, MessagesThatWaitShareALimit) {
  Start({.max_message_bytes = 1 << 20, .max_connection_bytes = 3 << 20});
  Send(FromHex("1251501153115102"));
  Receive();
  const std::string big(900'000, 'x');
  const std::string size = FrameOf(big).substr(0, 4);
  int served = 0;
  for (int number = 1; number < 10; ++number) {
    Send(FromHex("1251") + static_cast<char>(0x50 + number) +
         CallOfUpload(FromHex("11521011521111510f") + size + big));  // ((big, list),)
    if (Receive().find("__len__") == std::string::npos) break;
    ++served;
  }
  EXPECT_EQ(served, 3);
  EXPECT_NE(End().find("that waiting messages leave of the limit"), std::string::npos);
}

// The memory of a large message must not restrict the next messages.
TEST(ConnectionLimitsTest, ALargeMessageLeavesRoomForTheNextOnes) {
  net::SocketPair pair;
  const service::Service service(PayloadKind::kText, {});
  const Limits limits{.max_message_bytes = 4 << 20};
  std::thread server([&] {
    ServeRoot(pair.right, std::make_shared<BenchmarkRoot>(service), {.limits = limits});
    pair.right.Close();
  });
  {
    Connection client(pair.left, {.dialect = Dialect::k5, .compression = {}, .limits = {}});
    const Netref root = client.Root();
    for (int i = 0; i < 3; ++i) {
      const Payload large = Payload::Of(PayloadKind::kText, 4'000'000);
      std::vector<iovec> pieces;
      large.AppendPieces(pieces);
      const Value upload[] = {Value::Pieces(pieces)};
      EXPECT_EQ(client.CallAttr(root, "upload", upload).value().integer(), 4'000'000);
      const auto list = std::make_shared<BytesList>(
          service::Chunks{Payload::Of(PayloadKind::kText, 1 << 20), 1 << 20});
      const Value chunks[] = {Value::Local(*list)};
      EXPECT_EQ(client.CallAttr(root, "upload_file_chunked", chunks).value().integer(), 1 << 20);
      EXPECT_EQ(client.CallAttr(root, "ping").value().bytes(), "pong");
    }
    client.SendClose();
  }
  server.join();
}

TEST(DialectTest, AMismatchIsToldApart) {
  net::SocketPair pair;
  // A 6.x server answers a 5.x message with a CLOSE request in its own dialect.
  const std::string close = FrameOf(FromHex("0111501152115102"));
  pair.right.SendAll(close.data(), close.size());
  Connection client(pair.left, {.dialect = Dialect::k5, .limits = {}});
  EXPECT_THROW(client.Root(), DialectMismatch);
}

TEST(ConnectionLimitsTest, NestedRequestsAreBounded) {
  // Calls its first argument, a function of the other end, which calls back. Without a limit the
  // two ends would recurse for ever.
  class Mirror : public Object {
   public:
    std::string_view class_name() const override { return "builtins.function"; }
    Value Call(Scope& scope, const Arguments& arguments) override {
      ++calls;
      const Value swapped[] = {arguments.positional[1], arguments.positional[0]};
      const Value request[] = {arguments.positional[0], Value::Tuple(swapped), Value::Tuple({})};
      scope.connection().Request(Handler::kCall, request);
      return Value::None();
    }
    int calls = 0;
  };
  net::SocketPair pair;
  const auto left = std::make_shared<Mirror>();
  const auto right = std::make_shared<Mirror>();
  const ConnectionOptions options{.dialect = Dialect::k5, .limits = {.max_nested_requests = 8}};
  std::thread server([&] {
    Connection connection(pair.right, options, right);
    connection.Serve();
  });
  Connection client(pair.left, options);
  {
    const Netref remote = client.Root();
    const Value arguments[] = {Value::Local(*left), remote.value()};
    EXPECT_THAT([&] { client.Call(remote, arguments); },
                testing::ThrowsMessage<PythonError>(
                    testing::StartsWith("RecursionError: more than 8 requests")));
  }
  client.SendClose();
  server.join();
  EXPECT_EQ(right->calls, 8);
  EXPECT_EQ(left->calls, 8);
}

}  // namespace
}  // namespace rpycbench::rpyc
