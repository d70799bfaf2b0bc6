// A connection without a kernel: what a peer has sent is a string, what it is sent becomes one, and
// receives return as little as the cuts say. It is as quick as a function call, the same every
// time, and needs no threads. The calls below net::Socket (recv, send, sendmsg, and write for log
// lines) lead here while a Stream lives; the linker redirects them in programs that rpycbench_fuzz
// adds.
#pragma once

#include <string>
#include <string_view>

#include "servers/fuzz/property.h"
#include "servers/net/socket.h"

namespace rpycbench::fuzz {

class Stream {
 public:
  // The peer has sent `incoming`, which must outlive the stream, and has ended its direction. One
  // stream may live at a time: the calls it stands in for have no argument that could name it.
  Stream(std::string_view incoming, const Cuts& cuts);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  net::Socket& socket() { return socket_; }
  std::string_view sent() const { return sent_; }
  // What net::LogLine wrote meanwhile.
  std::string_view log() const { return log_; }

  // The stream that lives, or nothing.
  static Stream* Current();

  // What the redirected calls do.
  std::size_t Receive(void* into, std::size_t size);
  void Send(std::string_view bytes) { sent_.append(bytes); }
  void Log(std::string_view bytes) { log_.append(bytes); }

 private:
  std::string_view incoming_;
  Cuts cuts_;
  std::string sent_;
  std::string log_;
  net::Socket socket_;
};

}  // namespace rpycbench::fuzz
