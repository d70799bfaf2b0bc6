// Receives HTTP messages from a socket: the head through Beast's parser out of a small buffer, a
// body of known length straight into its final memory, any other body in pieces through the
// parser. What arrives of the next message stays in the buffer, so that pipelined messages are
// taken one by one. Used by both ends.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "servers/http/parser.h"
#include "servers/net/buffer.h"
#include "servers/net/socket.h"

namespace rpycbench::http {

// What the peer sent is not HTTP, or goes beyond a limit; says what is wrong.
class ProtocolError : public std::runtime_error {
 public:
  explicit ProtocolError(beast::error_code code);
  // Beast's error; header_limit and body_limit stand for the two limits.
  const beast::error_code& code() const { return code_; }

 private:
  beast::error_code code_;
};

class Receiver {
 public:
  // Nothing is received before the first call. The socket must outlive the receiver.
  explicit Receiver(net::Socket& socket);

  // Whether no byte is waiting that was received and not taken.
  bool empty() const { return begin_ == end_; }
  // Of the head that was received last, or in part: whether its first line is whole, and no longer
  // than a head may be.
  bool HoldsFirstLine() const {
    if (!in_head_) return true;
    const std::string_view head{buffer_.get() + head_begin_, end_ - head_begin_};
    return head.substr(0, kMaxHeadBytes).find('\n') != std::string_view::npos;
  }
  // Forgets what was received, for a new connection of the same socket object.
  void Clear() { begin_ = end_ = 0; }
  // Waits for bytes of the next message. Returns 0 at the end of the stream. Throws net::Error.
  std::size_t Fill();
  // Drops empty lines, which some clients send after a body.
  void SkipEmptyLines();

  // Feeds `parser` up to the end of the message's head. Views that the parser keeps stay valid
  // until a body is received. A head that comes in pieces must be whole within the socket's time
  // limit, or twice that if it stops. All three throw ProtocolError, net::Error and
  // net::EndOfStream.
  template <bool kIsRequest>
  void ReceiveHead(beast::http::basic_parser<kIsRequest>& parser);
  // Receives exactly `size` bytes of a body of known length.
  void ReceiveBody(char* into, std::size_t size);
  // Lets `parser` take at least one more byte of a body that passes through it, as much as is
  // there. Returns whether more of the message is due.
  template <bool kIsRequest>
  bool ReceiveThrough(beast::http::basic_parser<kIsRequest>& parser);

  // Calls feed(std::string_view) for each piece of the message's body, whichever way it is
  // transferred. The head must have been received; `scratch` is used for the pieces, `max_bytes`
  // bounds the total of a body without a known length.
  template <bool kIsRequest, class Feed>
  void ReceivePieces(MessageParser<kIsRequest>& parser, net::Buffer& scratch,
                     std::uint64_t max_bytes, Feed feed);
  // Receives the message's body into `body`. A known length must have been checked before.
  template <bool kIsRequest>
  void ReceiveWhole(MessageParser<kIsRequest>& parser, net::Buffer& body, std::uint64_t max_bytes);

 private:
  static constexpr std::size_t kCapacity = 2 * kMaxHeadBytes;
  // What a body is received by when it isn't kept: fits a core's second-level cache.
  static constexpr std::size_t kPieceBytes = std::size_t{256} << 10;

  // Moves what is waiting to the front of the buffer.
  void Compact();
  template <bool kIsRequest>
  std::size_t Put(beast::http::basic_parser<kIsRequest>& parser);
  std::string_view Take(std::size_t most);

  net::Socket& socket_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t head_begin_ = 0;
  bool in_head_ = false;  // one that begins there is not whole yet
};

template <bool kIsRequest, class Feed>
void Receiver::ReceivePieces(MessageParser<kIsRequest>& parser, net::Buffer& scratch,
                             std::uint64_t max_bytes, Feed feed) {
  scratch.clear();
  if (parser.is_done()) return;
  if (const auto length = parser.content_length()) {
    for (std::uint64_t left = *length; left > 0;) {
      std::string_view piece = Take(left);
      if (piece.empty()) {
        scratch.resize(std::min<std::uint64_t>(left, kPieceBytes));
        const std::size_t got = socket_.ReceiveSome(scratch.data(), scratch.size());
        if (got == 0) throw net::EndOfStream("receive a body from", socket_.peer());
        piece = {scratch.data(), got};
      }
      left -= piece.size();
      feed(piece);
    }
    return;
  }
  parser.CollectInto(scratch, max_bytes);
  for (bool more = true; more;) {
    more = ReceiveThrough(parser);
    feed(scratch.view());
    scratch.clear();
  }
}

template <bool kIsRequest>
void Receiver::ReceiveWhole(MessageParser<kIsRequest>& parser, net::Buffer& body,
                            std::uint64_t max_bytes) {
  body.clear();
  if (parser.is_done()) return;
  if (const auto length = parser.content_length()) {
    body.resize_discarding(*length);
    ReceiveBody(body.data(), body.size());
    return;
  }
  parser.CollectInto(body, max_bytes);
  while (ReceiveThrough(parser)) {
  }
}

}  // namespace rpycbench::http
