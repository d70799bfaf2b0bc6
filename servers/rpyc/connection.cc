#include "servers/rpyc/connection.h"

#include <algorithm>
#include <utility>

#include "servers/rpyc/boxing.h"
#include "servers/rpyc/dispatch.h"

namespace rpycbench::rpyc {
namespace {

// Recycled messages beyond this number are freed; nested requests rarely go deeper.
constexpr std::size_t kKeptMessages = 4;

// The peer ended the connection, by CLOSE or between two frames, and owes an answer.
class PeerLeft : public net::EndOfStream {
 public:
  explicit PeerLeft(const net::Endpoint& peer) : EndOfStream("receive an answer from", peer) {}
};

}  // namespace

void MessageRecycler::operator()(Message* message) const noexcept { connection->Recycle(message); }

Netref::Netref(Connection& connection, const IdPack& id)
    : connection_(&connection), name_(id.name), reference_{{name_, id.class_id, id.instance_id}} {}

Netref& Netref::operator=(Netref&& other) noexcept {
  if (this != &other) {
    Release();
    connection_ = std::exchange(other.connection_, nullptr);
    name_ = std::move(other.name_);
    reference_.id = {name_, other.id().class_id, other.id().instance_id};
  }
  return *this;
}

void Netref::Release() noexcept {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->SendRelease(id());
}

Connection::Connection(net::Socket& socket, const ConnectionOptions& options,
                       std::shared_ptr<Object> root)
    : socket_(socket),
      options_(options),
      read_limits_{.max_depth = options.limits.max_depth, .max_items = options.limits.max_items},
      root_(std::move(root)),
      reader_(socket, options.limits, options.quick_ack),
      writer_(socket, options.compression),
      objects_(options.limits.max_exported_objects) {}

Connection::~Connection() { closed_ = true; }  // messages that go now release nothing

Netref Connection::Root() { return Take(Request(Handler::kGetRoot, {})); }

Netref Connection::GetAttr(const Netref& object, std::string_view name) {
  const Value arguments[] = {object.value(), Value::Text(name)};
  return Take(Request(Handler::kGetAttr, arguments));
}

Reply Connection::Call(const Netref& callee, std::span<const Value> arguments) {
  const Value request[] = {callee.value(), Value::Tuple(arguments), Value::Tuple({})};
  return Request(Handler::kCall, request);
}

Reply Connection::CallAttr(const Netref& object, std::string_view name,
                           std::span<const Value> arguments) {
  return CallAttr(object.value(), name, arguments);
}

Reply Connection::CallAttr(const Value& object, std::string_view name,
                           std::span<const Value> arguments) {
  const Value request[] = {object, Value::Text(name), Value::Tuple(arguments), Value::Tuple({})};
  return Request(Handler::kCallAttr, request);
}

Reply Connection::Request(Handler handler, std::span<const Value> arguments) {
  MessagePtr answer = WaitFor(SendRequest(handler, arguments));
  ++round_trips_;
  const Value& body = answer->envelope.body;
  if (answer->envelope.type == MessageType::kException) throw vinegar::Read(body);
  try {
    const Value value = Unbox(body, objects_, *answer);
    return Reply(std::move(answer), value);
  } catch (const PythonError& error) {
    throw ProtocolError(std::string("reply: ") + error.what());
  }
}

Netref Connection::Take(const Value& value) {
  if (!value.is(Kind::kNetref)) {
    throw PythonError("TypeError", "a reference was expected, not a value");
  }
  value.reference().taken = true;
  return Netref(*this, value.reference().id);
}

void Connection::Serve() {
  try {
    while (!closed_) {
      MessagePtr message = Receive(FrameReader::Idle::kWaitOn);
      if (!message) return;
      Process(std::move(message));
    }
  } catch (const PeerLeft&) {
    // A handler waited for the peer, which wants no result any more: an end like any other.
  }
}

void Connection::SendClose() noexcept {
  if (closed_ || options_.dialect == Dialect::kAuto) return;
  try {
    SendRequest(Handler::kClose, {});
  } catch (const std::exception&) {
    // A connection that is lost needs no good-bye.
  }
  closed_ = true;
}

MessagePtr Connection::NewMessage() {
  if (free_messages_.empty()) return {new Message, MessageRecycler{this}};
  MessagePtr message(free_messages_.back().release(), MessageRecycler{this});
  free_messages_.pop_back();
  return message;
}

void Connection::Recycle(Message* message) noexcept {
  std::unique_ptr<Message> owned(message);
  owned->references.ForEach([&](const Reference& reference) {
    if (!reference.taken) SendRelease(reference.id);
  });
  owned->Clear();
  if (free_messages_.size() < kKeptMessages) free_messages_.push_back(std::move(owned));
}

MessagePtr Connection::Receive(FrameReader::Idle idle) {
  if (!reader_.next_is_here()) writer_.Flush();
  MessagePtr message = NewMessage();
  if (!reader_.Read(message->frame, idle)) return {nullptr, MessageRecycler{this}};
  const std::string_view payload = message->frame.payload;
  if (options_.dialect == Dialect::kAuto) options_.dialect = DetectDialect(payload);
  try {
    message->envelope = ReadEnvelope(options_.dialect, payload, message->arena, read_limits_);
  } catch (const ProtocolError&) {
    if (DetectDialect(payload) == options_.dialect) throw;
    throw DialectMismatch("envelope: the peer speaks the other dialect");
  }
  return message;
}

MessagePtr Connection::WaitFor(std::int64_t sequence) {
  waiters_.push_back({sequence, {nullptr, MessageRecycler{this}}});
  const std::size_t mine = waiters_.size() - 1;
  struct Leave {  // an exception must not leave a waiter behind
    std::vector<Waiter>& waiters;
    std::size_t mine;
    ~Leave() { waiters.erase(waiters.begin() + static_cast<std::ptrdiff_t>(mine), waiters.end()); }
  };
  const Leave leave{waiters_, mine};
  while (!waiters_[mine].answer) {
    MessagePtr message;
    if (!closed_) message = Receive(FrameReader::Idle::kFail);
    if (!message) throw PeerLeft(socket_.peer());
    Process(std::move(message));
  }
  return std::move(waiters_[mine].answer);
}

void Connection::Process(MessagePtr message) {
  if (message->envelope.type == MessageType::kRequest) {
    ServeRequest(*message);
  } else {
    DeliverAnswer(std::move(message));
  }
}

void Connection::DeliverAnswer(MessagePtr message) {
  for (Waiter& waiter : waiters_) {
    if (waiter.sequence == message->envelope.sequence && !waiter.answer) {
      waiter.answer = std::move(message);
      return;
    }
  }
  // Nobody waits for the answers to releases, and nothing is sent that would acknowledge them. A
  // peer with Nagle's algorithm, as Python has it, would hold its next request back for 40 ms.
  if (!reader_.next_is_here()) socket_.RearmQuickAck();
}

void Connection::ServeRequest(Message& message) {
  const Value& body = message.envelope.body;
  if (!body.is(Kind::kTuple) || body.items().size() != 2 || !body.items()[0].is(Kind::kInt)) {
    throw ProtocolError("envelope: a request without handler and arguments");
  }
  const std::int64_t sequence = message.envelope.sequence;
  const std::int64_t number = body.items()[0].integer();
  const auto handler = static_cast<Handler>(std::clamp<std::int64_t>(number, 0, 255));
  if (handler == Handler::kClose) {
    closed_ = true;
    return;
  }
  struct Depth {
    int& depth;
    explicit Depth(int& count) : depth(++count) {}
    ~Depth() { --depth; }
  };
  const Depth depth(nested_requests_);
  try {
    if (nested_requests_ > options_.limits.max_nested_requests) {
      throw PythonError("RecursionError", "requests are nested too deeply");
    }
    const Value arguments = Unbox(body.items()[1], objects_, message);
    if (!arguments.is(Kind::kTuple)) throw PythonError("TypeError", "arguments are a tuple");
    Scope scope(*this, message);
    const Value result = Dispatch(scope, objects_, root_, handler, arguments.items());
    SendReply(sequence, result, handler == Handler::kDel);
    // The peer waited for this answer while we waited for its own; nobody waits for a release.
    if (!waiters_.empty() && handler != Handler::kDel) ++round_trips_;
  } catch (const PythonError& error) {
    if (!waiters_.empty()) ++round_trips_;
    SendException(sequence, error);
  } catch (const std::length_error& error) {
    SendException(sequence, PythonError("OverflowError", error.what()));
  }
}

void Connection::SendReply(std::int64_t sequence, const Value& result, bool may_wait) {
  MessageWriter& out = writer_.Begin();
  WriteEnvelopeHead(options_.dialect, MessageType::kReply, sequence, out);
  WriteBoxed(result, objects_, out);
  may_wait ? writer_.SendLater() : writer_.Send();
}

void Connection::SendException(std::int64_t sequence, const PythonError& error) {
  MessageWriter& out = writer_.Begin();
  WriteEnvelopeHead(options_.dialect, MessageType::kException, sequence, out);
  vinegar::Write(error, out);
  writer_.Send();
}

std::int64_t Connection::SendRequest(Handler handler, std::span<const Value> arguments) {
  const std::int64_t sequence = WriteRequest(handler, arguments);
  writer_.Send();
  return sequence;
}

std::int64_t Connection::WriteRequest(Handler handler, std::span<const Value> arguments) {
  const std::int64_t sequence = next_sequence_++;
  MessageWriter& out = writer_.Begin();
  WriteEnvelopeHead(options_.dialect, MessageType::kRequest, sequence, out);
  brine::WriteTupleHead(2, out);
  out.Byte(brine::SmallInt(static_cast<int>(handler)));
  WriteBoxedTuple(arguments, objects_, out);
  return sequence;
}

void Connection::SendRelease(const IdPack& id) noexcept {
  if (closed_) return;
  try {
    const Reference reference{id};
    const Value arguments[] = {Value::Remote(reference), Value::Int(1)};
    WriteRequest(Handler::kDel, arguments);
    writer_.SendLater();
  } catch (const std::exception&) {
    // The socket is dead or memory is out. Whoever uses the connection next is told; a release that
    // did not arrive means nothing on a connection that ends.
    closed_ = true;
  }
}

}  // namespace rpycbench::rpyc
