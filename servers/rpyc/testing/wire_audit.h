// For tests: the ledger of one end, told from the bytes that crossed the wire and from nothing
// else. It shares no counting with the connection whose ledger it is held against.
#pragma once

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

// The next whole frame as it crosses, head and trailer included; empty at the end of the stream.
// Throws net::Error and net::EndOfStream.
std::string ReceiveFrame(net::Socket& socket);
// The length of the frame that starts here, of which at least the head must be there.
std::size_t FrameLength(std::string_view frame);
bool IsCompressed(std::string_view frame);
// Its payload, inflated. Throws ProtocolError.
std::string PayloadOf(std::string_view frame);
// The payload in a frame that is not compressed.
std::string FrameOf(std::string_view payload);

// What a request asks for; nothing for an answer.
std::optional<Handler> HandlerOf(const Envelope& envelope);
// Calls visit(label, id_pack) for each reference of a message: label 3 names an object of the
// receiver, 4 one of the sender.
void ForEachReference(const Envelope& envelope,
                      const std::function<void(std::int64_t label, const Value& id_pack)>& visit);

class WireAudit {
 public:
  explicit WireAudit(Dialect dialect) : dialect_(dialect) {}

  // A frame that the audited end sent or received, in the order in which they crossed.
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

// So that a failed comparison says which numbers differ.
void PrintTo(const WireCounts& ledger, std::ostream* out);

}  // namespace rpycbench::rpyc
