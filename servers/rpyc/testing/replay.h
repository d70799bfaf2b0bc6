// For tests: plays one end of a recorded conversation of the Python library against the native
// other end. Every message of the native end must match the recorded one byte for byte. Only these
// may differ, which both ends choose freely:
// - the identities of objects and the contents of the payload;
// - what an exception says besides its class and arguments;
// - the order of releases between two other messages.
// All messages are audited.
//
// Two things are added to each recording. At its end are a PING, so that all messages before it are
// read, and an answer to each release. A native client also gives back every reference. Python
// keeps those that a traceback holds until its garbage collector finds them.
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
  // Loads the recorded conversation of that name. Throws std::runtime_error if there is none.
  Replay(Dialect dialect, std::string_view conversation, NativeEnd native);

  // Replaces all recorded byte strings of the same length by `bytes`.
  void Substitute(std::string_view bytes);
  // Lets the native client keep its references to methods until it closes.
  void KeepMethods();

  // Plays until the CLOSE. Throws std::runtime_error if a message differs from the recording, and
  // the socket's errors.
  void Run(net::Socket& socket);
  // Returns the counts of the native end for everything that crossed. Call it after Run.
  const WireCounts& counts() const { return audit_.counts(); }

 private:
  struct Step {
    bool native;        // whether the native end sends it
    std::string frame;  // as recorded, or as made here
    std::string payload;
  };

  void Load(const boost::json::array& frames);
  void AddReleases();
  void AddEnd();
  void AddRequest(bool native, Handler handler, const Value& boxed_arguments);
  void Add(bool native, MessageType type, std::int64_t sequence, const Value& body);
  std::string PayloadOf(MessageType type, std::int64_t sequence, const Value& body) const;
  std::int64_t NextSequence(bool native) const;

  Envelope Read(std::string_view payload);
  std::string Rewritten(std::string payload) const;
  void LearnIdentities(const std::string& recorded, const std::string& actual);
  // Returns whether a message of the native end is the one of the step.
  bool Matches(const Step& step, const std::string& payload);
  // If the payload is one of the releases that follow the step at `begin`, makes it the first.
  void PutFirst(std::size_t begin, const std::string& payload);

  Dialect dialect_;
  NativeEnd native_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> instead_;  // from brine of recorded values to ours
  Arena arena_;
  WireAudit audit_;
};

}  // namespace rpycbench::rpyc
