#include "servers/rpyc/connection.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "servers/rpyc/boxing.h"
#include "servers/rpyc/dispatch.h"

namespace rpycbench::rpyc {
namespace {

// More recycled messages than these are freed, because nested requests rarely go deeper.
constexpr std::size_t kKeptMessages = 4;

// The peer ended the connection, by CLOSE or between two frames, although it owes an answer.
class PeerLeft : public net::EndOfStream {
 public:
  explicit PeerLeft(const net::Endpoint& peer) : EndOfStream("receive an answer from", peer) {}
};

// Counts nested operations under way.
struct Depth {
  int& depth;
  explicit Depth(int& count) : depth(++count) {}
  ~Depth() { --depth; }
};

// Returns whether the buffer is large enough to matter for the memory limit.
bool IsLarge(const net::Buffer& buffer) { return buffer.capacity() > std::size_t{1} << 20; }

std::size_t MostBytes(const Limits& limits) {
  const std::int64_t most = limits.max_connection_bytes;
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  return static_cast<std::size_t>(most > 0 ? most : limits.max_message_bytes / 2 * 3 + kMebibyte);
}

// With bind_threads on, rpyc 5.3.1 and later put two thread numbers before each message: the
// sender's and the receiver's, 0 for any thread (rpyc/core/protocol.py, _send).
constexpr std::size_t kThreadBytes = 8;
constexpr std::size_t kThreadsBytes = 2 * kThreadBytes;
constexpr std::int64_t kOwnThread = 1;  // the thread that runs this connection; only one does

std::int64_t ReadThread(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char c : bytes.substr(0, kThreadBytes)) number = number << 8 | std::uint8_t(c);
  return static_cast<std::int64_t>(number);
}

void WriteThread(std::int64_t number, MessageWriter& out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out.Byte(static_cast<char>(static_cast<std::uint64_t>(number) >> shift));
  }
}

// Returns whether a peer's first message has thread numbers. Addresses and the kernel's numbers
// have fewer than 56 bits, so the first byte is zero, with which no other message begins.
bool NamesThreads(std::string_view payload) {
  return payload.size() > kThreadsBytes && payload.front() == '\0' && ReadThread(payload) != 0;
}

// Sets the peer's thread that is served, for as long as the object lives.
class Serving {
 public:
  Serving(std::int64_t& serving, std::int64_t thread)
      : serving_(serving), before_(std::exchange(serving, thread)) {}
  ~Serving() { serving_ = before_; }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  std::int64_t& serving_;
  std::int64_t before_;
};

// Returns the handler with that number, or nothing if there is none.
std::optional<Handler> HandlerOf(const Value& number) {
  if (!number.is(Kind::kInt) || number.integer() < static_cast<int>(Handler::kPing) ||
      number.integer() > static_cast<int>(Handler::kInstanceCheck)) {
    return std::nullopt;
  }
  return static_cast<Handler>(number.integer());
}

PythonError UnknownHandler(const Value& number) {
  return {"KeyError", "unknown handler " + (number.is(Kind::kInt) ? std::to_string(number.integer())
                                                                  : "that is not a number")};
}

}  // namespace

void MessageRecycler::operator()(Message* message) const noexcept { connection->Recycle(message); }

Netref::Netref(Connection& connection, const IdPack& id)
    : connection_(&connection), name_(id.name), reference_{{name_, id.class_id, id.instance_id}} {}

Netref& Netref::operator=(Netref&& other) noexcept {
  if (this != &other) {
    Release();
    connection_ = std::exchange(other.connection_, nullptr);
    count_ = other.count_;
    name_ = std::move(other.name_);
    reference_.id = {name_, other.id().class_id, other.id().instance_id};
  }
  return *this;
}

bool Netref::Join(const Value& value) {
  if (!value.is(Kind::kNetref) || value.reference().id != id()) return false;
  value.reference().taken = true;
  ++count_;
  return true;
}

void Netref::Release() noexcept {
  if (connection_ != nullptr) std::exchange(connection_, nullptr)->SendRelease(id(), count_);
}

PendingReply::PendingReply(PendingReply&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), sequence_(other.sequence_) {}

PendingReply::~PendingReply() {
  if (connection_ != nullptr) connection_->StopWaiting(sequence_);
}

Reply PendingReply::Wait() { return connection_->Answered(connection_->WaitFor(sequence_)); }

Connection::Connection(net::Socket& socket, const ConnectionOptions& options,
                       std::shared_ptr<Object> root)
    : socket_(socket),
      options_(options),
      read_limits_{.max_depth = options.limits.max_depth, .max_items = options.limits.max_items},
      root_(std::move(root)),
      reader_(socket, options.limits, options.quick_ack, this),
      writer_(socket, options.compression),
      objects_(options.limits.max_exported_objects),
      most_bytes_(MostBytes(options.limits)) {}

Connection::~Connection() { closed_ = true; }  // messages that go now send no releases

Netref Connection::Root() { return Take(Request(Handler::kGetRoot, {})); }

Netref Connection::GetAttr(const Netref& object, std::string_view name) {
  const Value arguments[] = {object.value(), Value::Text(name)};
  return Take(Request(Handler::kGetAttr, arguments));
}

Reply Connection::Call(const Netref& callee, std::span<const Value> arguments) {
  return Call(callee.value(), arguments);
}

Reply Connection::Call(const Value& callee, std::span<const Value> arguments) {
  const Value request[] = {callee, Value::Tuple(arguments), Value::Tuple({})};
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

PendingReply Connection::RequestLater(Handler handler, std::span<const Value> arguments) {
  const std::int64_t sequence = SendRequest(handler, arguments);
  waiters_.push_back({sequence, {nullptr, MessageRecycler{this}}});
  return {*this, sequence};
}

Reply Connection::Answered(MessagePtr answer) {
  ++round_trips_;
  const Value& body = answer->envelope.body;
  if (answer->envelope.type == MessageType::kException) throw vinegar::Read(body);
  try {
    const Value value = UnboxFrom(*answer, body);
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
    // A handler waited for the peer, which has left and wants no result. This is a normal end.
  }
}

void Connection::SendClose() noexcept {
  if (closed_ || options_.dialect == Dialect::kAuto) return;
  try {
    SendRequest(Handler::kClose, {});
  } catch (const std::exception&) {
    // A lost connection needs no CLOSE.
  }
  closed_ = true;
}

WireCounts Connection::counts() const {
  return {.out = writer_.totals(),
          .in = reader_.totals(),
          .requests_out = static_cast<std::uint64_t>(next_sequence_),
          .requests_in = requests_in_,
          .round_trips = round_trips_,
          .references_out = objects_.exported(),
          .references_in = references_in_,
          .releases_out = releases_out_,
          .releases_in = objects_.released()};
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
    if (!reference.taken) SendRelease(reference.id, 1);
  });
  owned->Clear();
  live_bytes_ -= std::exchange(owned->held, 0);
  if (free_messages_.size() >= kKeptMessages) return;
  // Only one kept message may be large. It serves large messages that come one after another.
  if (IsLarge(owned->frame.bytes)) [[unlikely]] {
    GiveBackKept();
    if (live_bytes_ + owned->frame.bytes.capacity() > most_bytes_) {
      owned->frame.bytes.give_back(net::kKeptWhenIdle);
    }
  }
  free_messages_.push_back(std::move(owned));
}

void Connection::Account(Message& message) {
  const std::size_t memory = message.memory();
  live_bytes_ += memory - std::exchange(message.held, memory);
}

std::size_t Connection::KeptBytes() const {
  std::size_t bytes = 0;
  for (const auto& kept : free_messages_) bytes += kept->frame.bytes.capacity();
  return bytes;
}

void Connection::GiveBackKept() {
  for (const auto& kept : free_messages_) kept->frame.bytes.give_back(net::kKeptWhenIdle);
}

void Connection::OnIdle() {
  GiveBackKept();
  writer_.GiveBack();
}

void Connection::BeforeGrowing(net::Buffer& buffer, std::size_t size) {
  for (const auto& kept : free_messages_) {
    net::Buffer& other = kept->frame.bytes;
    if (other.capacity() < size) continue;
    other.clear();
    other.append(buffer.view());
    return buffer.swap(other);
  }
  if (live_bytes_ + KeptBytes() + size > most_bytes_) GiveBackKept();
}

void Connection::Settle(Message& message) {
  net::Buffer& bytes = message.frame.bytes;
  if (bytes.size() >= bytes.capacity() / 4) return;
  if (free_messages_.empty()) free_messages_.push_back(std::make_unique<Message>());
  net::Buffer& other = free_messages_.back()->frame.bytes;
  const auto payload = static_cast<std::size_t>(message.frame.payload.data() - bytes.data());
  other.clear();
  other.append(bytes.view());
  bytes.swap(other);
  message.frame.payload = bytes.view().substr(payload, message.frame.payload.size());
}

MessageWriter& Connection::Begin() {
  MessageWriter& out = writer_.Begin();
  if (names_threads_) [[unlikely]] {
    WriteThread(kOwnThread, out);
    WriteThread(serving_, out);
  }
  return out;
}

std::string_view Connection::WithoutThreads(Message& message) {
  std::string_view payload = message.frame.payload;
  if (options_.dialect == Dialect::kAuto) names_threads_ = NamesThreads(payload);
  if (!names_threads_) return payload;
  if (payload.size() <= kThreadsBytes)
    throw ProtocolError("envelope: the message names no threads");
  message.peer_thread = ReadThread(payload);
  return payload.substr(kThreadsBytes);
}

MessagePtr Connection::Receive(FrameReader::Idle idle) {
  if (!reader_.next_is_here()) writer_.Flush();
  MessagePtr message = NewMessage();
  if (!reader_.Read(message->frame, idle, Room())) return {nullptr, MessageRecycler{this}};
  if (IsLarge(message->frame.bytes)) [[unlikely]] {
    Settle(*message);
    if (live_bytes_ + message->memory() + KeptBytes() > most_bytes_) GiveBackKept();
  }
  const std::string_view payload = WithoutThreads(*message);
  if (options_.dialect == Dialect::kAuto) options_.dialect = DetectDialect(payload);
  Account(*message);
  const std::size_t items = Room() / sizeof(Value);
  try {
    if (items >= read_limits_.max_items) [[likely]] {
      message->envelope = ReadEnvelope(options_.dialect, payload, message->arena, read_limits_);
    } else {
      message->envelope = ReadEnvelope(options_.dialect, payload, message->arena,
                                       {.max_depth = read_limits_.max_depth, .max_items = items});
    }
    if (message->arena.bytes() > 0) [[unlikely]]
      Account(*message);
  } catch (const ProtocolError&) {
    if (DetectDialect(payload) == options_.dialect) throw;
    throw DialectMismatch("envelope: the peer speaks the other dialect");
  }
  return message;
}

MessagePtr Connection::WaitFor(std::int64_t sequence) {
  const Depth depth(waits_);
  while (!WaiterOf(sequence)->answer) {
    MessagePtr message;
    if (!closed_) message = Receive(FrameReader::Idle::kFail);
    if (!message) throw PeerLeft(socket_.peer());
    Process(std::move(message));
  }
  return std::move(WaiterOf(sequence)->answer);
}

Connection::Waiters::iterator Connection::WaiterOf(std::int64_t sequence) {
  return std::ranges::lower_bound(waiters_, sequence, {}, &Waiter::sequence);
}

void Connection::StopWaiting(std::int64_t sequence) noexcept {
  const auto waiter = WaiterOf(sequence);
  if (waiter->answer) Discard(std::move(waiter->answer));
  waiters_.erase(waiter);
}

void Connection::Discard(MessagePtr answer) noexcept {
  if (answer->envelope.type != MessageType::kReply) return;
  try {
    UnboxFrom(*answer, answer->envelope.body);  // the message releases its references
  } catch (const std::exception&) {
    // An unwanted result may be malformed.
  }
}

void Connection::Process(MessagePtr message) {
  if (message->envelope.type == MessageType::kRequest) {
    ServeRequest(*message);
  } else {
    DeliverAnswer(std::move(message));
  }
}

void Connection::DeliverAnswer(MessagePtr message) {
  const auto waiter = WaiterOf(message->envelope.sequence);
  if (waiter != waiters_.end() && waiter->sequence == message->envelope.sequence &&
      !waiter->answer) {
    waiter->answer = std::move(message);
    return;
  }
  Discard(std::move(message));
  // Nobody waits for the answers to releases, and this end sends nothing that would acknowledge
  // them. A peer with Nagle's algorithm, such as Python, would hold its next request back for 40
  // ms.
  if (!reader_.next_is_here()) socket_.RearmQuickAck();
}

void Connection::ServeRequest(Message& message) {
  const Value& body = message.envelope.body;
  if (!body.is(Kind::kTuple) || body.items().size() != 2) {
    throw ProtocolError("envelope: a request without handler and arguments");
  }
  ++requests_in_;
  const std::int64_t sequence = message.envelope.sequence;
  const std::optional<Handler> handler = HandlerOf(body.items()[0]);
  if (handler == Handler::kClose) {
    closed_ = true;
    return;
  }
  const std::string_view request = handler ? NameOf(*handler) : "a request";
  const Depth depth(nested_requests_);
  const Serving serving(serving_, message.peer_thread);
  // The peer waits for this answer while this end waits for the peer's. Nobody waits for a release.
  const bool round_trip = waits_ > 0 && handler != Handler::kDel;
  std::optional<PythonError> failure;
  try {
    if (nested_requests_ > options_.limits.max_nested_requests) {
      throw PythonError(
          "RecursionError",
          "more than " + std::to_string(options_.limits.max_nested_requests) +
              " requests of this connection wait for each other, be they nested or of "
              "many threads: --max_nested_requests allows more");
    }
    if (!handler) throw UnknownHandler(body.items()[0]);
    const Value arguments = UnboxFrom(message, body.items()[1]);
    if (!arguments.is(Kind::kTuple)) throw PythonError("TypeError", "arguments are a tuple");
    Scope scope(*this, message);
    const Value result = Dispatch(scope, objects_, root_, *handler, arguments.items());
    if (closed_) return;  // the called method closed the connection, so nobody takes answers
    SendReply(scope, sequence, result, handler == Handler::kDel);
  } catch (const PythonError& error) {
    failure = error;
  } catch (const std::length_error& error) {
    failure.emplace("OverflowError", error.what());
  }
  if (failure) SendException(sequence, request, *failure);
  round_trips_ += round_trip;
}

Value Connection::UnboxFrom(Message& message, const Value& boxed) {
  struct Enter {  // even if a later part is refused, because the references are released anyway
    Connection& connection;
    Message& message;
    ~Enter() {
      connection.references_in_ += message.references.size();
      if (message.arena.bytes() > 0) [[unlikely]]
        connection.Account(message);
    }
  };
  const Enter enter{*this, message};
  return Unbox(boxed, objects_, message);
}

void Connection::SendReply(const Scope& scope, std::int64_t sequence, const Value& result,
                           bool may_wait) {
  MessageWriter& out = Begin();
  if (scope.longer_reply()) [[unlikely]] {
    WriteLongEnvelopeHead(options_.dialect, MessageType::kReply, sequence, out);
  } else {
    WriteEnvelopeHead(options_.dialect, MessageType::kReply, sequence, out);
  }
  WriteBoxed(result, objects_, out);
  may_wait ? writer_.SendLater() : writer_.Send();
}

void Connection::SendException(std::int64_t sequence, std::string_view request,
                               const PythonError& error) {
  if (closed_) return;
  const std::string traceback = vinegar::Traceback(error, request);
  MessageWriter& out = Begin();
  WriteEnvelopeHead(options_.dialect, MessageType::kException, sequence, out);
  vinegar::Write(error, traceback, out);
  writer_.Send();
}

std::int64_t Connection::SendRequest(Handler handler, std::span<const Value> arguments) {
  const std::int64_t sequence = WriteRequest(handler, arguments);
  writer_.Send();
  return sequence;
}

std::int64_t Connection::WriteRequest(Handler handler, std::span<const Value> arguments) {
  const std::int64_t sequence = next_sequence_++;
  MessageWriter& out = Begin();
  WriteEnvelopeHead(options_.dialect, MessageType::kRequest, sequence, out);
  brine::WriteTupleHead(2, out);
  out.Byte(brine::SmallInt(static_cast<int>(handler)));
  WriteBoxedTuple(arguments, objects_, out);
  return sequence;
}

void Connection::SendRelease(const IdPack& id, std::int64_t count) noexcept {
  if (closed_) return;
  try {
    const Reference reference{id};
    const Value arguments[] = {Value::Remote(reference), Value::Int(count)};
    WriteRequest(Handler::kDel, arguments);
    writer_.SendLater();
    releases_out_ += static_cast<std::uint64_t>(count);
  } catch (const std::exception&) {
    // The socket is dead or memory is exhausted. The next user of the connection gets the error. A
    // lost release does not matter on a connection that ends.
    closed_ = true;
  }
}

}  // namespace rpycbench::rpyc
