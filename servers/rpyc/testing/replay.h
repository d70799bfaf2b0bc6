// For tests: one end of a recorded conversation of the Python library, played against the native
// other end. Every message of the native end must be the recorded one, byte for byte; only what the
// two choose freely differs: the identities of their objects and the contents of the payload. What
// crosses is audited on the way.
//
// Two things are added to each recording. Its end is a PING, so that all messages before it are
// read, and an answer to each release. And a native client gives back every reference, while Python
// keeps those that a traceback holds on to until its garbage collector finds them.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "servers/net/socket.h"
#include "servers/rpyc/testing/wire_audit.h"

namespace rpycbench::rpyc {

enum class NativeEnd { kClient, kServer };

// The text that the closing PING carries.
inline constexpr std::string_view kSettle = "settle";

class Replay {
 public:
  // The recorded conversation of that name, which must exist.
  Replay(Dialect dialect, std::string_view conversation, NativeEnd native);

  // These bytes stand in for all recorded ones of their length.
  void Substitute(std::string_view bytes);
  // The native client keeps its references to methods until it closes.
  void KeepMethods();

  // Plays until the CLOSE. Throws std::runtime_error for what isn't as recorded, and the socket's
  // errors.
  void Run(net::Socket& socket);
  // Of the native end, for all that crossed; after Run.
  const WireCounts& counts() const { return audit_.counts(); }

 private:
  struct Step {
    bool native;        // sent by the native end
    std::string frame;  // as recorded, or as made here
    std::string payload;
  };

  void Load(const boost::json::array& frames);
  void AddReleases();
  void AddEnd();
  void AddRequest(bool native, Handler handler, const Value& boxed_arguments);
  void AddReply(bool native, std::int64_t sequence, const Value& boxed_result);
  void Add(bool native, MessageType type, std::int64_t sequence, const Value& body);
  std::int64_t NextSequence(bool native) const;

  Envelope Read(std::string_view payload);
  std::string Rewritten(std::string payload) const;
  void LearnIdentities(const std::string& recorded, const std::string& actual);

  Dialect dialect_;
  NativeEnd native_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> instead_;  // brine of recorded values, and of ours
  Arena arena_;
  WireAudit audit_;
};

}  // namespace rpycbench::rpyc
