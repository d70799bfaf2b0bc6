#include "servers/rpyc/testing/wire_audit.h"

#include <cstdint>
#include <optional>
#include <ostream>

#include "servers/net/buffer.h"
#include "servers/rpyc/boxing.h"
#include "servers/rpyc/wire/deflate.h"
#include "servers/rpyc/wire/frame.h"

namespace rpycbench::rpyc {
namespace {

using Visit = std::function<void(std::int64_t, const Value&)>;

void Walk(const Value& boxed, const Visit& visit) {
  const std::int64_t kind = boxed.items()[0].integer();
  const Value& content = boxed.items()[1];
  if (kind == label::kTuple) {
    for (const Value& item : content.items()) Walk(item, visit);
  } else if (kind == label::kLocalRef || kind == label::kRemoteRef) {
    visit(kind, content);
  }
}

}  // namespace

std::size_t FrameLength(std::string_view frame) {
  std::size_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(frame[i]);
  return kFrameHead + length + 1;
}

bool IsCompressed(std::string_view frame) { return frame[4] != 0; }

std::string ReceiveFrame(net::Socket& socket) {
  std::string frame(1, '\0');
  if (socket.ReceiveSome(frame.data(), 1) == 0) return {};
  frame.resize(kFrameHead);
  socket.ReceiveExactly(frame.data() + 1, kFrameHead - 1);
  frame.resize(FrameLength(frame));
  socket.ReceiveExactly(frame.data() + kFrameHead, frame.size() - kFrameHead);
  return frame;
}

std::string PayloadOf(std::string_view frame) {
  const std::string_view sent = frame.substr(kFrameHead, frame.size() - kFrameHead - 1);
  if (!IsCompressed(frame)) return std::string(sent);
  net::Buffer plain;
  Inflater inflater;
  inflater.Begin(plain, std::int64_t{1} << 30);
  inflater.Feed(sent);
  inflater.Finish();
  return std::string(plain.view());
}

std::string FrameOf(std::string_view payload) {
  std::string frame(kFrameHead, '\0');
  for (int i = 0; i < 4; ++i) frame[i] = static_cast<char>(payload.size() >> (24 - 8 * i));
  return frame.append(payload).append("\n");
}

std::optional<Handler> HandlerOf(const Envelope& envelope) {
  if (envelope.type != MessageType::kRequest) return std::nullopt;
  return static_cast<Handler>(envelope.body.items()[0].integer());
}

// The arguments are TUPLE(LOCAL_REF object[, VALUE count]).
std::uint64_t ReleaseCount(const Envelope& envelope) {
  const auto arguments = envelope.body.items()[1].items()[1].items();
  if (arguments.size() < 2) return 1;
  return static_cast<std::uint64_t>(arguments[1].items()[1].integer());
}

void ForEachReference(const Envelope& envelope, const Visit& visit) {
  if (envelope.type == MessageType::kRequest) Walk(envelope.body.items()[1], visit);
  if (envelope.type == MessageType::kReply) Walk(envelope.body, visit);
}

void WireAudit::Sent(std::string_view frame) { Add(true, frame); }

void WireAudit::Received(std::string_view frame) { Add(false, frame); }

void WireAudit::Add(bool sent, std::string_view frame) {
  FrameTotals& totals = sent ? counts_.out : counts_.in;
  ++totals.frames;
  if (IsCompressed(frame)) ++totals.compressed;
  totals.bytes += frame.size();
  const std::string payload = PayloadOf(frame);
  Arena arena;
  const Envelope envelope = ReadEnvelope(dialect_, payload, arena, {});
  ForEachReference(envelope, [&](std::int64_t kind, const Value&) {
    if (kind == label::kRemoteRef) ++(sent ? counts_.references_out : counts_.references_in);
  });
  if (const auto handler = HandlerOf(envelope)) {
    AddRequest(sent, *handler, envelope);
  } else if (!sent && open_.erase(envelope.sequence) > 0) {
    ++counts_.round_trips;
  }
}

void WireAudit::AddRequest(bool sent, Handler handler, const Envelope& envelope) {
  ++(sent ? counts_.requests_out : counts_.requests_in);
  if (handler == Handler::kClose) return;
  if (handler == Handler::kDel) {
    (sent ? counts_.releases_out : counts_.releases_in) += ReleaseCount(envelope);
  } else if (sent) {
    open_.insert(envelope.sequence);
  } else if (!open_.empty()) {
    ++counts_.round_trips;
  }
}

void PrintTo(const WireCounts& ledger, std::ostream* out) {
  const auto direction = [&](const char* name, const FrameTotals& totals, std::uint64_t requests,
                             std::uint64_t references, std::uint64_t releases) {
    *out << name << ": " << totals.frames << " frames, " << totals.compressed << " compressed, "
         << totals.bytes << " bytes, " << requests << " requests, " << references << " references, "
         << releases << " releases; ";
  };
  direction("out", ledger.out, ledger.requests_out, ledger.references_out, ledger.releases_out);
  direction("in", ledger.in, ledger.requests_in, ledger.references_in, ledger.releases_in);
  *out << ledger.round_trips << " round trips";
}

}  // namespace rpycbench::rpyc
