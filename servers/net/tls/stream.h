// The TLS connection of a socket, by Boost.Asio's ssl streams. It uses their blocking calls, whose
// lower layer is the socket: in a coroutine that one suspends, so no second kind is needed.
#pragma once

#include <sys/uio.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "servers/net/tls/context.h"

namespace rpycbench::net {

class Socket;

class TlsStream {
 public:
  // `name` is the server's, a host name or an IP address, which a client verifies.
  TlsStream(TlsContext& context, const std::string& name);
  ~TlsStream();

  // What moves bytes takes the socket whose stream this is, because that may move. It throws Error.
  // The handshake must end within the socket's time limit.
  void Handshake(Socket& socket);
  // Waits for at least one byte. Returns 0 if the peer has ended its direction as TLS demands.
  // Otherwise the end of the stream is an error.
  std::size_t Receive(Socket& socket, const iovec& into);
  // Sends the blocks in records as large as TLS has them; `flags` are those of send(2).
  void Send(Socket& socket, std::span<iovec> blocks, int flags);
  // Tells the peer that nothing follows. What the peer sends can still be received.
  void EndSending(Socket& socket);

  bool resumed() const;
  // Returns what was agreed on: "TLSv1.3, TLS_AES_256_GCM_SHA384, X25519, certificate P-256". A
  // server names no certificate, unless the client has shown one.
  std::string Describe() const;

 private:
  // The socket, as Asio's streams want their lower layer.
  class Lower {
   public:
    using lowest_layer_type = Lower;
    using executor_type = boost::asio::io_context::executor_type;

    lowest_layer_type& lowest_layer() { return *this; }
    executor_type get_executor();
    template <class Buffers>
    std::size_t read_some(const Buffers& buffers, boost::system::error_code& error);
    template <class Buffers>
    std::size_t write_some(const Buffers& buffers, boost::system::error_code& error);

    // Lets the next wait end at the deadline.
    void LimitWait();

    Socket* socket = nullptr;
    int flags = 0;
    std::optional<std::chrono::steady_clock::time_point> deadline;
  };

  [[noreturn]] void Fail(const boost::system::error_code& error, const char* operation);
  // `more` says whether other bytes follow at once.
  void SendRecords(const char* data, std::size_t size, int flags, bool more);

  TlsContext& context_;
  boost::asio::ssl::stream<Lower> stream_;
  std::unique_ptr<char[]> record_;  // small blocks are joined here
};

}  // namespace rpycbench::net
