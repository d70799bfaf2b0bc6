// Fuzzes both ends of TLS at once. A real client and a real server shake hands and talk over a wire
// without a kernel, and the input says which of their records are changed on the way: altered, cut,
// lost, repeated, out of order, or with foreign bytes inside. The input thus reaches what is behind
// a good handshake as well. An end never receives what the other did not send, takes no
// stream for complete that is not, and fails in one line.
//
// The first byte of the input selects version, client certificates and resumption. The changes
// follow: kind and direction, number of the record in its direction, place in the record, size of
// the foreign bytes, and these.
#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "servers/fuzz/stream.h"
#include "servers/net/testing/certificate_files.h"
#include "servers/net/tls/stream.h"

namespace rpycbench::net {
namespace {

using fuzz::Check;
using fuzz::Cuts;

constexpr char kName[] = "service.example";
constexpr std::size_t kMessageBytes[] = {10, 20'000};  // one record, and two
constexpr std::size_t kMaxChanges = 8;                 // repeated repetitions double a record
constexpr std::size_t kStackBytes = 512 << 10;

enum class Kind { kAlter, kCut, kLose, kRepeat, kDelay, kInsert, kReplay, kReflect, kReplaceRest };
constexpr int kKinds = static_cast<int>(Kind::kReplaceRest) + 1;

struct Change {
  Kind kind;
  bool to_server;
  std::size_t record;
  std::size_t at;
  std::string_view bytes;
};

struct Input {
  explicit Input(std::string_view bytes);

  TlsVersion version;
  bool demands_certificate;
  bool resumes;
  std::vector<Change> changes;
};

Input::Input(std::string_view bytes) {
  const auto next = [&] {
    const unsigned value = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 1));
    return value;
  };
  const unsigned mode = next();
  version = mode & 1 ? TlsVersion::k12 : TlsVersion::k13;
  demands_certificate = mode & 2;
  resumes = mode & 4;
  while (!bytes.empty() && changes.size() < kMaxChanges) {
    const unsigned kind = next();
    const unsigned record = next();
    const unsigned at = next() << 8 | next();
    const unsigned size = next();
    Change change{static_cast<Kind>((kind & 0x7f) % kKinds), kind < 0x80, record, at, bytes};
    if (change.kind != Kind::kReplaceRest) change.bytes = bytes.substr(0, size);
    bytes.remove_prefix(change.bytes.size());
    changes.push_back(change);
  }
}

// The wire between a client, on the caller's stack, and a server on a stack of its own. An end that
// waits lets the other run. If both wait, nothing will come, and they see the end of the stream.
class Wire final : public fuzz::Stream {
 public:
  Wire(const std::vector<Change>& changes, const Cuts& cuts)
      : Stream({}, cuts), changes_(changes) {}

  // Runs both to their ends. Throws what either throws.
  void Run(const std::function<void(Socket&)>& ask, const std::function<void(Socket&)>& serve);
  // Returns whether anything but the sent bytes has arrived.
  bool changed() const { return changed_; }

  std::size_t Receive(void* into, std::size_t size) override;
  void Send(std::string_view bytes) override;

 private:
  struct Direction {
    std::string unsent;  // the beginning of a record
    std::vector<std::string> records;
    std::string delayed;
    std::string arriving;
    bool cut = false;
    int asked_after_end = 0;
  };

  void LetOtherRun();
  std::string Changed(Direction& direction, const Direction& other, const Change& change,
                      std::string record) const;
  void Forward(Direction& direction, const std::string& record);

  const std::vector<Change>& changes_;
  Socket server_;
  Direction to_server_, to_client_;
  bool at_server_ = false;  // which end runs now
  bool changed_ = false;
  boost::context::fiber other_;  // the end that waits
};

void Wire::Run(const std::function<void(Socket&)>& ask, const std::function<void(Socket&)>& serve) {
  const auto failure_of = [](const auto& run, Socket& end) {
    std::exception_ptr failure;
    try {
      run(end);
    } catch (...) {
      failure = std::current_exception();
    }
    return failure;
  };
  std::exception_ptr at_server;
  other_ = boost::context::fiber(std::allocator_arg, boost::context::fixedsize_stack(kStackBytes),
                                 [&](boost::context::fiber&& client) {
                                   other_ = std::move(client);
                                   at_server = failure_of(serve, server_);
                                   return std::move(other_);
                                 });
  const std::exception_ptr at_client = failure_of(ask, socket());
  while (other_) LetOtherRun();
  for (const auto& failure : {at_client, at_server}) {
    if (failure) std::rethrow_exception(failure);
  }
  Check(to_server_.unsent.empty() && to_client_.unsent.empty(), "whole records are sent");
}

void Wire::LetOtherRun() {
  const bool at_server = at_server_;
  at_server_ = !at_server;
  other_ = std::move(other_).resume();
  at_server_ = at_server;
}

std::size_t Wire::Receive(void* into, std::size_t size) {
  Direction& direction = at_server_ ? to_server_ : to_client_;
  if (direction.arriving.empty() && !direction.cut && other_) LetOtherRun();
  std::string_view arriving = direction.arriving;
  const std::size_t taken = Take(arriving, into, size);
  direction.arriving.erase(0, taken);
  if (taken == 0) {
    direction.cut = true;
    Check(++direction.asked_after_end < 10, "a stream that has ended is not asked for ever");
  }
  return taken;
}

void Wire::Send(std::string_view bytes) {
  Direction& direction = at_server_ ? to_client_ : to_server_;
  constexpr std::size_t kHead = 5;
  std::string& unsent = direction.unsent;
  unsent += bytes;
  while (unsent.size() >= kHead) {
    const std::size_t size = kHead + (static_cast<unsigned char>(unsent[3]) << 8 |
                                      static_cast<unsigned char>(unsent[4]));
    if (unsent.size() < size) return;
    Forward(direction, unsent.substr(0, size));
    unsent.erase(0, size);
  }
}

void Wire::Forward(Direction& direction, const std::string& record) {
  const bool to_server = &direction == &to_server_;
  std::string arriving = record;
  if (!direction.cut) {
    for (const Change& change : changes_) {
      if (change.to_server == to_server && change.record == direction.records.size()) {
        arriving = Changed(direction, to_server ? to_client_ : to_server_, change, arriving);
      }
    }
    if (arriving != record || direction.cut) changed_ = true;
    direction.arriving += arriving;
    // What is delayed comes behind the next record.
    if (arriving == record) direction.arriving += std::exchange(direction.delayed, {});
  }
  direction.records.push_back(record);
}

std::string Wire::Changed(Direction& direction, const Direction& other, const Change& change,
                          std::string record) const {
  const std::size_t at = record.empty() ? 0 : change.at % record.size();
  switch (change.kind) {
    case Kind::kAlter:
      for (std::size_t i = 0; i < change.bytes.size() && at + i < record.size(); ++i) {
        record[at + i] = static_cast<char>(record[at + i] ^ change.bytes[i]);
      }
      break;
    case Kind::kCut:
      record.resize(at);
      direction.cut = true;
      break;
    case Kind::kLose:
      record.clear();
      break;
    case Kind::kRepeat:
      record += record;
      break;
    case Kind::kDelay:
      direction.delayed += std::exchange(record, {});
      break;
    case Kind::kInsert:
      record.insert(at, change.bytes);
      break;
    case Kind::kReplay:
    case Kind::kReflect: {
      const auto& earlier = change.kind == Kind::kReplay ? direction.records : other.records;
      if (!earlier.empty()) record.insert(0, earlier[change.at % earlier.size()]);
      break;
    }
    case Kind::kReplaceRest:
      record.replace(at, record.npos, change.bytes);
      direction.cut = true;
  }
  return record;
}

// What all inputs use. Keys take long to make, so it is made once.
class Contexts {
 public:
  static Contexts& Get() {
    static Contexts contexts;
    return contexts;
  }

  TlsContext& Client(TlsVersion version) { return *Of(version).client; }
  TlsContext& Server(TlsVersion version, bool demanding) {
    return demanding ? *Of(version).demanding : *Of(version).server;
  }

 private:
  struct Group {
    Group(const CertificateFiles& files, const CertificateAuthority& authority,
          TlsVersion version) {
      TlsOptions options = files.Of(authority.Issue({kName}), "server");
      options.version = version;
      options.application = "http/1.1";
      server = std::make_unique<TlsContext>(TlsContext::Role::kServer, options);
      options.authority = files.Write("authority.pem", authority.certificate());
      demanding = std::make_unique<TlsContext>(TlsContext::Role::kServer, options);
      const TlsOptions own = files.Of(authority.Issue({}), "client");
      options.certificate = own.certificate;
      options.key = own.key;
      client = std::make_unique<TlsContext>(TlsContext::Role::kClient, options);
    }

    std::unique_ptr<TlsContext> server, demanding, client;
  };

  Contexts() : Contexts(CertificateFiles(), CertificateAuthority()) {}
  Contexts(const CertificateFiles& files, const CertificateAuthority& authority)
      : v12_(files, authority, TlsVersion::k12), v13_(files, authority, TlsVersion::k13) {}

  Group& Of(TlsVersion version) { return version == TlsVersion::k12 ? v12_ : v13_; }

  Group v12_, v13_;
};

// One end of a conversation in which each message is answered by one of its size.
class End {
 public:
  explicit End(char letter) : letter_(letter) {}

  // Shakes hands, talks, and ends its direction, until the first failure.
  void Talk(Socket& socket, TlsContext& context, const End& peer) {
    try {
      socket.StartTls(context, kName);
      // Only the peer of a certificate names it.
      const std::string all = socket.tls()->Describe();
      agreed_ = all.substr(0, all.find(", certificate"));
      for (const std::size_t size : kMessageBytes) {
        if (!context.is_server()) Send(socket, size);
        if (!Receive(socket, peer, received_.size() + size)) return;
        if (context.is_server()) Send(socket, size);
      }
      ended_ = true;
      socket.ShutdownSend();
      Check(!Receive(socket, peer, SIZE_MAX), "the end of a stream is seen");
    } catch (const Error& error) {
      failure_ = error.what();
      Check(!failure_.empty() && failure_.find('\n') == std::string::npos,
            "a failure is one line: " + failure_);
    }
    socket.Close();
  }

  const std::string& failure() const { return failure_; }
  const std::string& agreed() const { return agreed_; }
  bool complete(const End& peer) const {
    return ended_ && failure_.empty() && received_ == peer.sent_;
  }

 private:
  void Send(Socket& socket, std::size_t size) {
    std::string message(size, letter_);
    for (std::size_t i = 0; i < size; i += 100) message[i] = static_cast<char>(i / 100);
    sent_ += message;
    socket.SendAll(message.data(), message.size());
  }

  // Receives until so much is there. Returns false if the stream ends properly before.
  bool Receive(Socket& socket, const End& peer, std::size_t all) {
    char piece[4096];
    while (received_.size() < all) {
      const std::size_t got = socket.ReceiveSome(piece, sizeof piece);
      if (got == 0) {
        Check(peer.ended_ && received_ == peer.sent_, "no stream ends before its sender ends it");
        return false;
      }
      Check(std::string_view(peer.sent_)
                .substr(received_.size())
                .starts_with(std::string_view(piece, got)),
            "only what was sent is received");
      received_.append(piece, got);
    }
    return true;
  }

  const char letter_;
  std::string sent_;
  std::string received_;
  std::string failure_;
  std::string agreed_;  // if the handshake has succeeded
  bool ended_ = false;
};

void Converse(const Input& input, const std::vector<Change>& changes, const Cuts& cuts) {
  TlsContext& of_client = Contexts::Get().Client(input.version);
  TlsContext& of_server = Contexts::Get().Server(input.version, input.demands_certificate);
  End client('c'), server('s');
  Wire wire(changes, cuts);
  wire.Run([&](Socket& socket) { client.Talk(socket, of_client, server); },
           [&](Socket& socket) { server.Talk(socket, of_server, client); });
  Check(wire.changed() || (client.complete(server) && server.complete(client)),
        "an unchanged conversation succeeds: " + client.failure() + server.failure());
  Check(client.agreed().empty() || server.agreed().empty() || client.agreed() == server.agreed(),
        "both ends agree on the cipher");
}

void Fuzz(std::string_view bytes) {
  const Input input(bytes);
  const Cuts cuts = Cuts::Random(fuzz::Hash(bytes));
  if (input.resumes) Converse(input, {}, cuts);  // leaves a session
  Contexts::Get().Client(input.version).Resume(input.resumes);
  Converse(input, input.changes, cuts);
  Contexts::Get().Client(input.version).Resume(false);
}

}  // namespace
}  // namespace rpycbench::net

void rpycbench::fuzz::Run(std::string_view input) { net::Fuzz(input); }
