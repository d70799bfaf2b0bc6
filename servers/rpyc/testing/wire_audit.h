// For tests: the counts of one end, computed from nothing but the bytes that crossed the wire. The
// audit shares no counting code with the connection that it checks.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "servers/net/socket.h"
#include "servers/rpyc/wire/envelope.h"
#include "servers/rpyc/wire/options.h"
#include "servers/rpyc/wire/value.h"
#include "servers/rpyc/wire/wire_counts.h"

namespace rpycbench::rpyc {

// Receives the next whole frame, head and trailer included; empty at the end of the stream. Throws
// net::Error and net::EndOfStream.
std::string ReceiveFrame(net::Socket& socket);
// Returns the length in bytes of the frame that begins here. At least its head must be present.
std::size_t FrameLength(std::string_view frame);
bool IsCompressed(std::string_view frame);
// Returns the frame's payload, inflated. Throws ProtocolError.
std::string PayloadOf(std::string_view frame);
// Returns an uncompressed frame around the payload.
std::string FrameOf(std::string_view payload);

// Returns the handler of a request, or nothing for an answer.
std::optional<Handler> HandlerOf(const Envelope& envelope);
// Returns how many references a DEL gives back.
std::uint64_t ReleaseCount(const Envelope& envelope);
// Calls visit(label, id_pack) for each reference of a message. Label 3 names an object of the
// receiver, label 4 one of the sender.
void ForEachReference(const Envelope& envelope,
                      const std::function<void(std::int64_t label, const Value& id_pack)>& visit);

class WireAudit {
 public:
  explicit WireAudit(Dialect dialect) : dialect_(dialect) {}

  // Count a frame that the audited end sent or received. Call them in the order in which the frames
  // crossed.
  void Sent(std::string_view frame);
  void Received(std::string_view frame);

  const WireCounts& counts() const { return counts_; }

 private:
  void Add(bool sent, std::string_view frame);
  void AddRequest(bool sent, Handler handler, const Envelope& envelope);

  Dialect dialect_;
  WireCounts counts_;
  std::set<std::int64_t> open_;  // requests of the audited end that await an answer
};

// Prints the counts, so that a failed comparison says which numbers differ.
void PrintTo(const WireCounts& ledger, std::ostream* out);

}  // namespace rpycbench::rpyc
