// One end of an RPyC connection; both ends are the same class. It sends requests and waits for
// their answers. It serves the peer's requests, also those that arrive while it waits, and releases
// the references that it received. One thread at a time may use it. It owns neither the socket nor
// any thread.
//
//   Connection connection(socket, {.dialect = Dialect::k5});
//   Netref root = connection.Root();
//   Reply pong = connection.CallAttr(root, "ping");
//   pong.value().bytes();  // "pong"
//
// Requests throw PythonError if the peer answers with an exception. They throw ProtocolError,
// net::Error and net::EndOfStream when the connection cannot continue.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/rpyc/message.h"
#include "servers/rpyc/object_table.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/frame.h"
#include "servers/rpyc/wire/options.h"
#include "servers/rpyc/wire/vinegar.h"
#include "servers/rpyc/wire/wire_counts.h"

namespace rpycbench::rpyc {

struct ConnectionOptions {
  Dialect dialect = Dialect::kAuto;  // kAuto: the dialect of the peer's first message
  Compression compression = Compression::kPython;
  Limits limits;
  // Whether to acknowledge each receive at once, for peers that write with Nagle's algorithm, as
  // Python does.
  bool quick_ack = false;
};

// A reference to an object of the peer, which its destructor releases. It must not outlive its
// connection.
class Netref {
 public:
  Netref() = default;
  Netref(Netref&& other) noexcept { *this = std::move(other); }
  Netref& operator=(Netref&& other) noexcept;
  ~Netref() { Release(); }

  explicit operator bool() const { return connection_ != nullptr; }
  const IdPack& id() const { return reference_.id; }
  Value value() const { return Value::Remote(reference_); }
  // Takes over a further reference to the same object, which a reply or request brought, so that
  // one release gives back both. Returns false and does nothing if it is something else.
  bool Join(const Value& value);
  // Releases the reference at the peer. The release leaves with the next message or before the next
  // wait, because a message of its own would wake the peer for nothing else. Nobody waits for the
  // answer. Does nothing if the connection is dead.
  void Release() noexcept;

 private:
  friend class Connection;
  Netref(Connection& connection, const IdPack& id);

  Connection* connection_ = nullptr;
  std::int64_t count_ = 1;
  std::string name_;
  Reference reference_;  // its name is a view of name_
};

// The answer to a request. Its value, references included, lives as long as the reply. It must not
// outlive its connection.
class Reply {
 public:
  const Value& value() const { return value_; }

 private:
  friend class Connection;
  friend class Scope;
  Reply(MessagePtr message, const Value& value) : message_(std::move(message)), value_(value) {}

  MessagePtr message_;
  Value value_;
};

// A request whose answer is fetched later. Several may be outstanding, and their answers arrive in
// any order. It must not outlive its connection.
class PendingReply {
 public:
  PendingReply(PendingReply&& other) noexcept;
  PendingReply& operator=(PendingReply&&) = delete;
  ~PendingReply();  // drops an answer that was not fetched, with the references it brings

  // Waits for the answer and serves the peer's requests meanwhile. Call it once. Throws like
  // requests do.
  Reply Wait();

 private:
  friend class Connection;
  PendingReply(Connection& connection, std::int64_t sequence)
      : connection_(&connection), sequence_(sequence) {}

  Connection* connection_;
  std::int64_t sequence_;
};

// The resources of a handler while it serves a request. They are the connection, for requests of
// its own, and memory and objects that live until the answer is sent.
class Scope {
 public:
  Scope(Connection& connection, Message& message) : connection_(connection), message_(message) {}

  Connection& connection() { return connection_; }
  // Returns `size` values, all None, for the caller to fill.
  std::span<Value> Tuple(std::size_t size) {
    const std::span<Value> items = message_.arena.Allocate(size);
    std::ranges::fill(items, Value::None());
    return items;
  }
  // Returns an empty list for Value::Pieces, to be filled once.
  std::vector<iovec>& Pieces() {
    message_.pieces.clear();
    return message_.pieces;
  }
  // Returns where lists for further values in pieces can be kept until the answer is sent.
  PieceLists& piece_lists() { return message_.piece_lists; }
  // Keep a text or an object until the answer is sent, and return a view of it.
  std::string_view Keep(std::string text) { return message_.texts.emplace_front(std::move(text)); }
  Value Keep(std::shared_ptr<Object> object) {
    message_.objects.push_back(std::move(object));
    return Value::Local(*message_.objects.back());
  }
  // Keeps a reply of the peer, whose value becomes part of the answer to the peer.
  Value Keep(Reply reply) {
    message_.answers.push_back(std::move(reply.message_));
    return reply.value_;
  }
  // Makes the reply a byte longer than necessary, to test that measurements notice.
  void LengthenReply() { longer_reply_ = true; }
  bool longer_reply() const { return longer_reply_; }

 private:
  Connection& connection_;
  Message& message_;
  bool longer_reply_ = false;
};

// The peer speaks the other dialect than the one in which it was addressed.
class DialectMismatch : public ProtocolError {
 public:
  using ProtocolError::ProtocolError;
};

class Connection : private FrameMemory {
 public:
  // Makes one end of a connection over `socket`, which must outlive it. The peer gets `root` when
  // it asks for the service; a client may have none.
  Connection(net::Socket& socket, const ConnectionOptions& options,
             std::shared_ptr<Object> root = nullptr);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  // Requests. Each takes one round trip.
  Netref Root();
  Netref GetAttr(const Netref& object, std::string_view name);
  Reply Call(const Netref& callee, std::span<const Value> arguments = {});
  Reply Call(const Value& callee, std::span<const Value> arguments = {});
  Reply CallAttr(const Netref& object, std::string_view name,
                 std::span<const Value> arguments = {});
  Reply CallAttr(const Value& object, std::string_view name, std::span<const Value> arguments = {});
  // Sends any request and waits for its answer. The arguments are those of the handler.
  Reply Request(Handler handler, std::span<const Value> arguments) {
    return RequestLater(handler, arguments).Wait();
  }
  // Sends a request without waiting for its answer.
  PendingReply RequestLater(Handler handler, std::span<const Value> arguments);
  // Takes over a reference that a reply or request brought. Call it once for each reference,
  // because it is released once. Throws PythonError (TypeError) if the value is not a reference.
  Netref Take(const Reply& reply) { return Take(reply.value()); }
  Netref Take(const Value& value);

  // Serves requests until the peer closes the connection. Throws ProtocolError, net::Error and
  // net::EndOfStream.
  void Serve();
  // Sends CLOSE without waiting. The socket stays open until its owner closes it.
  void SendClose() noexcept;

  std::uint64_t round_trips() const { return round_trips_; }
  WireCounts counts() const;
  const ObjectTable& objects() const { return objects_; }
  Dialect dialect() const { return options_.dialect; }

 private:
  friend struct MessageRecycler;
  friend class Netref;
  friend class PendingReply;

  struct Waiter {
    std::int64_t sequence;
    MessagePtr answer;
  };
  using Waiters = std::vector<Waiter>;

  MessagePtr NewMessage();
  void Recycle(Message* message) noexcept;
  // Counts the memory that the message takes now in live_bytes_.
  void Account(Message& message);
  // Returns the bytes that further messages may take. Free messages give up their memory for them.
  std::size_t Room() const { return most_bytes_ - std::min(most_bytes_, live_bytes_); }
  std::size_t KeptBytes() const;
  void GiveBackKept();
  // Moves a small message out of a large buffer, which a later message may need.
  void Settle(Message& message);
  void OnIdle() override;
  void BeforeGrowing(net::Buffer& buffer, std::size_t size) override;
  // Begins the next message to send, with the thread numbers before its envelope if messages have
  // them.
  MessageWriter& Begin();
  // Removes the thread numbers from the payload, if messages have them.
  std::string_view WithoutThreads(Message& message);
  // Returns the next message, or nothing at the end of the stream.
  MessagePtr Receive(FrameReader::Idle idle);
  MessagePtr WaitFor(std::int64_t sequence);
  Reply Answered(MessagePtr answer);
  // Returns the place of the request's answer, or where it would be.
  Waiters::iterator WaiterOf(std::int64_t sequence);
  void StopWaiting(std::int64_t sequence) noexcept;
  // Drops an unwanted answer and releases the references it brought.
  void Discard(MessagePtr answer) noexcept;
  void Process(MessagePtr message);
  void DeliverAnswer(MessagePtr message);

  void ServeRequest(Message& message);
  // Unboxes a part of the message and counts the references that it brought.
  Value UnboxFrom(Message& message, const Value& boxed);
  void SendReply(const Scope& scope, std::int64_t sequence, const Value& result, bool may_wait);
  void SendException(std::int64_t sequence, std::string_view request, const PythonError& error);

  // Return the request's sequence number.
  std::int64_t SendRequest(Handler handler, std::span<const Value> arguments);
  std::int64_t WriteRequest(Handler handler, std::span<const Value> arguments);
  void SendRelease(const IdPack& id, std::int64_t count) noexcept;

  net::Socket& socket_;
  ConnectionOptions options_;
  brine::ReadLimits read_limits_;
  std::shared_ptr<Object> root_;
  FrameReader reader_;
  FrameWriter writer_;
  ObjectTable objects_;
  std::vector<std::unique_ptr<Message>> free_messages_;
  std::size_t most_bytes_;      // memory that all messages may take
  std::size_t live_bytes_ = 0;  // memory of the messages in use
  bool names_threads_ = false;  // in each message, both ways: rpyc's option bind_threads
  std::int64_t serving_ = 0;    // the peer's thread for which this end works now
  Waiters waiters_;             // in the order of their sequence numbers
  int waits_ = 0;               // number of nested waits under way
  std::int64_t next_sequence_ = 0;
  int nested_requests_ = 0;
  bool closed_ = false;
  std::uint64_t round_trips_ = 0;
  std::uint64_t requests_in_ = 0;
  std::uint64_t references_in_ = 0;
  std::uint64_t releases_out_ = 0;
};

}  // namespace rpycbench::rpyc
