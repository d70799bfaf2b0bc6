// A connection without a kernel. A string holds what the peer has sent, another collects what is
// sent to it, and the cuts limit each receive. A Stream is as fast as a function call, behaves the
// same every time and needs no threads. While one lives, it replaces the calls below net::Socket:
// recv, send, sendmsg, and write for log lines. The linker redirects these calls in programs that
// link rpycbench_stream. A derived class may have a living peer instead of the string.
#pragma once

#include <string>
#include <string_view>

#include "servers/fuzz/property.h"
#include "servers/net/socket.h"

namespace rpycbench::fuzz {

class Stream {
 public:
  // Begins a stream whose peer has sent `incoming` and has ended its direction. `incoming` must
  // outlive the stream. Only one stream may live at a time, because the redirected calls cannot
  // name one.
  Stream(std::string_view incoming, const Cuts& cuts);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream();

  net::Socket& socket() { return socket_; }
  std::string_view sent() const { return sent_; }
  // Returns what net::LogLine has written since the stream began.
  std::string_view log() const { return log_; }

  // Returns the stream that lives, or nullptr.
  static Stream* Current();

  // Implement the redirected calls.
  virtual std::size_t Receive(void* into, std::size_t size) { return Take(incoming_, into, size); }
  virtual void Send(std::string_view bytes) { sent_.append(bytes); }
  void Log(std::string_view bytes) { log_.append(bytes); }

 protected:
  // Moves the next piece of `from` and returns its size, 0 if nothing is there.
  std::size_t Take(std::string_view& from, void* into, std::size_t size);

 private:
  std::string_view incoming_;
  Cuts cuts_;
  std::string sent_;
  std::string log_;
  net::Socket socket_;
};

}  // namespace rpycbench::fuzz
