// Sends HTTP answers. A short head and its body leave in one system call if they fit and the
// socket's policy allows it. The responder keeps its buffer between answers. Beast's messages and
// serializer would take 0.6 µs and 3 allocations more for a short answer (beast_cost.cc).
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

// A header field, "Name: value". An empty name means no field.
struct Field {
  std::string_view name;
  std::string_view value;
};

class Responder {
 public:
  // Answers on `socket`, which must outlive the responder. `longer` makes each answer's head a byte
  // longer, to test that measurements notice.
  Responder(net::Socket& socket, bool longer) : socket_(socket), longer_(longer) {}

  // Sets what the request asks of its answer, until the next call. `head_only` leaves bodies out.
  void StartAnswer(bool is_http_1_0, bool keep_alive, bool head_only);
  // Announces in the next answer that the connection closes, whatever the request asked for.
  void WillClose() { keep_alive_ = false; }
  bool keep_alive() const { return keep_alive_; }

  // Frees a large buffer. Call it when the connection is idle.
  void GiveBack() { out_.give_back(net::kKeptWhenIdle); }

  // All functions that send throw net::Error.
  void SendContinue();
  void SendJson(std::string_view json);
  void SendBytes(std::string_view bytes);
  void SendPayload(const service::Payload& payload);
  void SendChunks(const service::Chunks& chunks);
  // Sends the bytes of the chunks in chunked transfer coding. HTTP/1.0 has no such coding, so its
  // clients get the whole with its length.
  void SendStream(const service::Chunks& chunks);
  // Sends the allowed methods without content.
  void SendOptions(std::string_view allowed);
  // Sends {"error":"<text>"} with the status.
  void SendError(boost::beast::http::status status, std::string_view text, const Field& field);

 private:
  // Writes the head into out_. Without a length it announces chunked transfer coding.
  void WriteHead(boost::beast::http::status status, std::string_view type,
                 std::optional<std::uint64_t> length, const Field& field = {});
  void SendHeadAndBlocks();

  net::Socket& socket_;
  bool longer_;
  net::Buffer out_;  // the head, and the bytes that are sent with it in one piece
  std::size_t head_bytes_ = 0;
  std::vector<iovec> blocks_;
  bool is_http_1_0_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
};

}  // namespace rpycbench::http
