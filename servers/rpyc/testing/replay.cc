#include "servers/rpyc/testing/replay.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <stdexcept>

#include "servers/rpyc/boxing.h"
#include "servers/rpyc/testing/vectors.h"
#include "servers/rpyc/wire/brine.h"

namespace rpycbench::rpyc {
namespace {

const boost::json::array& RecordedFrames(Dialect dialect, std::string_view name) {
  const char* key = dialect == Dialect::k5 ? "5" : "6";
  for (const auto& conversation : Vectors().at("dialects").at(key).at("conversations").as_array()) {
    if (conversation.at("name").as_string() == name) return conversation.at("frames").as_array();
  }
  throw std::runtime_error("no such conversation: " + std::string(name));
}

// Brine has no lengths around nested values, so a value can be replaced in place.
void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

template <class Visit>
void ForEachBytes(const Value& value, const Visit& visit) {
  if (value.is(Kind::kBytes)) visit(value);
  if (!value.is(Kind::kTuple)) return;
  for (const Value& item : value.items()) ForEachBytes(item, visit);
}

bool IsMethod(const Value& id_pack) { return id_pack.items()[0].bytes() == "builtins.method"; }

}  // namespace

Replay::Replay(Dialect dialect, std::string_view conversation, NativeEnd native)
    : dialect_(dialect), native_(native), audit_(dialect) {
  Load(RecordedFrames(dialect, conversation));
  if (native == NativeEnd::kClient) AddReleases();
}

void Replay::Load(const boost::json::array& frames) {
  std::set<std::int64_t> left_out;
  for (const auto& recorded : frames) {
    const std::string frame = FromHex(recorded.at("hex").as_string());
    const std::string payload = rpyc::PayloadOf(frame);
    const Envelope envelope = Read(payload);
    const auto handler = HandlerOf(envelope);
    if (handler == Handler::kClose) return;
    const bool by_client = recorded.at("dir").as_string() == "c2s";
    // The answer lists the members of a class, which differ from those of a Python class.
    const bool inspection = handler == Handler::kInspect && native_ == NativeEnd::kServer;
    if (inspection) left_out.insert(envelope.sequence);
    if (inspection || (!by_client && !handler && left_out.erase(envelope.sequence) > 0)) continue;
    steps_.push_back({by_client == (native_ == NativeEnd::kClient), frame, payload});
  }
}

void Replay::Substitute(std::string_view bytes) {
  for (const Step& step : steps_) {
    ForEachBytes(Read(step.payload).body, [&](const Value& recorded) {
      if (recorded.bytes().size() != bytes.size()) return;
      instead_[brine::Dump(recorded)] = brine::Dump(Value::Bytes(bytes));
    });
  }
}

void Replay::KeepMethods() {
  std::set<std::int64_t> left_out;
  std::erase_if(steps_, [&](const Step& step) {
    const Envelope envelope = Read(step.payload);
    bool of_method = false;
    ForEachReference(envelope, [&](std::int64_t, const Value& id) { of_method |= IsMethod(id); });
    if (step.native && HandlerOf(envelope) == Handler::kDel && of_method) {
      left_out.insert(envelope.sequence);
      return true;
    }
    return !step.native && !HandlerOf(envelope) && left_out.erase(envelope.sequence) > 0;
  });
}

// Releases the references that the native end still holds. The root stays: the first reference that
// came.
void Replay::AddReleases() {
  std::multiset<std::string> held;
  std::string root;
  for (const Step& step : steps_) {
    const Envelope envelope = Read(step.payload);
    ForEachReference(envelope, [&](std::int64_t kind, const Value& id_pack) {
      const std::string id = brine::Dump(id_pack);
      if (!step.native && kind == label::kRemoteRef) {
        if (root.empty()) root = id;
        if (id != root) held.insert(id);
      }
      if (!step.native || HandlerOf(envelope) != Handler::kDel) return;
      for (std::uint64_t left = ReleaseCount(envelope); left > 0; --left) held.erase(held.find(id));
    });
  }
  for (const std::string& id : held) {
    const Value reference[] = {Value::Int(label::kLocalRef), brine::Read(id, arena_)};
    const Value count[] = {Value::Int(1), Value::Int(1)};
    const Value arguments[] = {Value::Tuple(reference), Value::Tuple(count)};
    const Value boxed[] = {Value::Int(2), Value::Tuple(arguments)};
    const std::int64_t sequence = NextSequence(true);
    AddRequest(true, Handler::kDel, Value::Tuple(boxed));
    const Value none[] = {Value::Int(1), Value::None()};
    Add(false, MessageType::kReply, sequence, Value::Tuple(none));
  }
}

void Replay::AddEnd() {
  const bool client = native_ == NativeEnd::kClient;
  std::set<std::int64_t> unanswered;  // the server's requests
  for (const Step& step : steps_) {
    const Envelope envelope = Read(step.payload);
    if (HandlerOf(envelope) && step.native != client) unanswered.insert(envelope.sequence);
    if (!HandlerOf(envelope) && step.native == client) unanswered.erase(envelope.sequence);
  }
  const Value text[] = {Value::Text(kSettle)};
  const Value arguments[] = {Value::Int(1), Value::Tuple(text)};
  const Value result[] = {Value::Int(1), text[0]};
  const std::int64_t sequence = NextSequence(client);
  AddRequest(client, Handler::kPing, Value::Tuple(arguments));
  Add(!client, MessageType::kReply, sequence, Value::Tuple(result));
  const Value none[] = {Value::Int(1), Value::None()};
  for (const std::int64_t request : unanswered) {
    Add(client, MessageType::kReply, request, Value::Tuple(none));
  }
  const Value nothing[] = {Value::Int(1), Value::Tuple({})};
  AddRequest(client, Handler::kClose, Value::Tuple(nothing));
}

void Replay::AddRequest(bool native, Handler handler, const Value& boxed_arguments) {
  const Value body[] = {Value::Int(static_cast<int>(handler)), boxed_arguments};
  Add(native, MessageType::kRequest, NextSequence(native), Value::Tuple(body));
}

void Replay::Add(bool native, MessageType type, std::int64_t sequence, const Value& body) {
  const std::string payload = PayloadOf(type, sequence, body);
  steps_.push_back({native, FrameOf(payload), payload});
}

std::string Replay::PayloadOf(MessageType type, std::int64_t sequence, const Value& body) const {
  MessageWriter head;
  head.Clear(0);
  WriteEnvelopeHead(dialect_, type, sequence, head);
  return std::string(head.bytes()) + brine::Dump(body);
}

std::int64_t Replay::NextSequence(bool native) const {
  std::int64_t next = 0;
  for (const Step& step : steps_) {
    Arena arena;
    const Envelope envelope = ReadEnvelope(dialect_, step.payload, arena, {});
    if (step.native == native && HandlerOf(envelope)) next = std::max(next, envelope.sequence + 1);
  }
  return next;
}

Envelope Replay::Read(std::string_view payload) {
  return ReadEnvelope(dialect_, payload, arena_, {});
}

void Replay::Run(net::Socket& socket) {
  AddEnd();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.native) {
      const std::string frame = ReceiveFrame(socket);
      const std::string payload = frame.empty() ? "" : rpyc::PayloadOf(frame);
      if (!frame.empty()) {
        LearnIdentities(step.payload, payload);
        PutFirst(i, payload);
      }
      if (!Matches(step, payload) || IsCompressed(frame) != IsCompressed(step.frame)) {
        throw std::runtime_error("message " + std::to_string(i) + " is " +
                                 ToHex(frame.substr(0, 200)) + " instead of " +
                                 ToHex(step.frame.substr(0, 200)));
      }
      audit_.Sent(frame);
    } else {
      const std::string payload = Rewritten(step.payload);
      const std::string frame = payload == step.payload ? step.frame : FrameOf(payload);
      socket.SendAll(frame.data(), frame.size());
      audit_.Received(frame);
    }
  }
}

bool Replay::Matches(const Step& step, const std::string& payload) {
  const std::string expected = Rewritten(step.payload);
  if (payload == expected || payload.empty()) return payload == expected;
  const Envelope recorded = Read(expected);
  const Envelope actual = Read(payload);
  // StopIteration is not a tuple.
  if (recorded.type != MessageType::kException || !recorded.body.is(Kind::kTuple)) return false;
  return actual.type == recorded.type && actual.sequence == recorded.sequence &&
         actual.body.is(Kind::kTuple) &&
         std::ranges::equal(actual.body.items().first(2), recorded.body.items().first(2), {},
                            brine::Dump, brine::Dump);
}

void Replay::PutFirst(std::size_t begin, const std::string& payload) {
  const Envelope first = Read(steps_[begin].payload);
  const std::string wanted = brine::Dump(Read(payload).body);
  for (std::size_t i = begin; i < steps_.size(); ++i) {
    const Envelope envelope = Read(steps_[i].payload);
    const auto handler = HandlerOf(envelope);
    if (!steps_[i].native && !handler) continue;  // answers to the releases before
    if (!steps_[i].native || handler != Handler::kDel) return;
    if (Rewritten(brine::Dump(envelope.body)) != wanted) continue;
    // The numbers of the requests stay as they are.
    const std::string earlier = PayloadOf(first.type, first.sequence, envelope.body);
    steps_[i].payload = PayloadOf(envelope.type, envelope.sequence, first.body);
    steps_[begin].payload = earlier;
    return;
  }
}

std::string Replay::Rewritten(std::string payload) const {
  for (const auto& [recorded, ours] : instead_) ReplaceAll(payload, recorded, ours);
  return payload;
}

// The native end names its objects as it likes, so they are matched in the order of their
// appearance.
void Replay::LearnIdentities(const std::string& recorded, const std::string& actual) {
  const auto own = [this](const std::string& payload) {
    std::vector<std::string> ids;
    ForEachReference(Read(payload), [&](std::int64_t kind, const Value& id_pack) {
      if (kind == label::kRemoteRef) ids.push_back(brine::Dump(id_pack));
    });
    return ids;
  };
  const auto old_ids = own(recorded), new_ids = own(actual);
  for (std::size_t i = 0; i < std::min(old_ids.size(), new_ids.size()); ++i) {
    instead_[old_ids[i]] = new_ids[i];
  }
}

}  // namespace rpycbench::rpyc
