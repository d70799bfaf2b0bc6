// Sends HTTP answers: a short head and the body in one system call where they fit one and the
// socket's policy has no other wish.
#pragma once

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "servers/net/buffer.h"
#include "servers/net/socket.h"
#include "servers/service/service.h"

namespace rpycbench::http {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kOctets = "application/octet-stream";

// "Name: value" of a field; none if the name is empty.
struct Field {
  std::string_view name;
  std::string_view value;
};

class Responder {
 public:
  // `longer` makes each answer's head a byte longer, to test that measurements notice.
  Responder(net::Socket& socket, bool longer) : socket_(socket), longer_(longer) {}

  // What the request asks of its answer, until the next call. `head_only` leaves bodies out.
  void StartAnswer(bool is_http_1_0, bool keep_alive, bool head_only);
  // The connection will be closed after this answer, whatever the request asked for.
  void WillClose() { keep_alive_ = false; }
  bool keep_alive() const { return keep_alive_; }

  // To be called when the connection is idle: a large buffer goes.
  void GiveBack() { out_.give_back(net::kKeptWhenIdle); }

  // All throw net::Error.
  void SendContinue();
  void SendJson(std::string_view json);
  void SendBytes(std::string_view bytes);
  void SendPayload(const service::Payload& payload);
  void SendChunks(const service::Chunks& chunks);
  // As it is, in chunked transfer coding; whole, with its length, where the peer's HTTP/1.0 has no
  // such thing.
  void SendStream(const service::Chunks& chunks);
  // No content, but the methods that are allowed.
  void SendOptions(std::string_view allowed);
  // {"error":"<text>"}
  void SendError(boost::beast::http::status status, std::string_view text, const Field& field);

 private:
  // Without a length the body will be in chunked transfer coding.
  void WriteHead(boost::beast::http::status status, std::string_view type,
                 std::optional<std::uint64_t> length, const Field& field = {});
  void SendHeadAndBlocks();

  net::Socket& socket_;
  bool longer_;
  net::Buffer out_;  // the head, and what is sent with it in one piece
  std::size_t head_bytes_ = 0;
  std::vector<iovec> blocks_;
  bool is_http_1_0_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
};

}  // namespace rpycbench::http
