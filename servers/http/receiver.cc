#include "servers/http/receiver.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>
#include <system_error>

#include "servers/net/tls/unexpected.h"

namespace rpycbench::http {

ProtocolError::ProtocolError(beast::error_code code) : ProtocolError(code, code.message()) {}

ProtocolError::ProtocolError(beast::error_code code, const std::string& what)
    : std::runtime_error(what), code_(code) {}

Receiver::Receiver(net::Socket& socket)
    : socket_(socket), buffer_(std::make_unique_for_overwrite<char[]>(kCapacity)) {}

std::size_t Receiver::Fill() {
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t got = socket_.ReceiveSome(buffer_.get() + end_, kCapacity - end_);
  end_ += got;
  return got;
}

void Receiver::SkipEmptyLines() {
  while (begin_ < end_ && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n')) ++begin_;
}

void Receiver::Compact() {
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
}

template <bool kIsRequest>
std::size_t Receiver::Put(beast::http::basic_parser<kIsRequest>& parser) {
  beast::error_code error;
  const std::string_view bytes(buffer_.get() + begin_, end_ - begin_);
  const bool begins = in_head_ && begin_ == head_begin_;
  const std::size_t taken = parser.put({bytes.data(), bytes.size()}, error);
  begin_ += taken;
  if (error && error != beast::http::error::need_more) {
    if (begins && bytes.starts_with(net::kTlsHandshake))
      throw ProtocolError(error, net::kPeerSpeaksTls);
    throw ProtocolError(error);
  }
  return taken;
}

template <bool kIsRequest>
void Receiver::ReceiveHead(beast::http::basic_parser<kIsRequest>& parser) {
  // A head must not move while it is parsed, so the buffer needs space for the largest one.
  if (kCapacity - begin_ < kMaxHeadBytes) Compact();
  if (begin_ == end_) begin_ = end_ = 0;
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> deadline;
  const std::size_t start = head_begin_ = begin_;
  in_head_ = true;
  for (;;) {
    if (begin_ < end_) Put(parser);
    // Beast bounds each piece that it is given, but not their sum.
    const std::size_t head = (parser.is_header_done() ? begin_ : end_ + 1) - start;
    if (head > kMaxHeadBytes) throw ProtocolError(beast::http::error::header_limit);
    if (parser.is_header_done()) {
      in_head_ = false;
      return;
    }
    if (start < end_ && socket_.timeout().count() > 0) {
      const Clock::time_point now = Clock::now();
      if (!deadline) deadline = now + socket_.timeout();
      if (now > *deadline) {
        throw net::Error(std::make_error_code(std::errc::timed_out),
                         "receive the head of a message from", socket_.peer());
      }
    }
    const std::size_t got = socket_.ReceiveSome(buffer_.get() + end_, kCapacity - end_);
    if (got == 0) throw net::EndOfStream("receive the head of a message from", socket_.peer());
    end_ += got;
  }
}

std::string_view Receiver::Take(std::size_t most) {
  const std::string_view taken{buffer_.get() + begin_, std::min(most, end_ - begin_)};
  begin_ += taken.size();
  return taken;
}

void Receiver::ReceiveBody(char* into, std::size_t size) {
  const std::string_view taken = Take(size);
  if (!taken.empty()) std::memcpy(into, taken.data(), taken.size());
  socket_.ReceiveExactly(into + taken.size(), size - taken.size());
}

template <bool kIsRequest>
bool Receiver::ReceiveThrough(beast::http::basic_parser<kIsRequest>& parser) {
  parser.eager(true);
  for (;;) {
    if (begin_ < end_ && Put(parser) > 0) return !parser.is_done();
    Compact();
    if (end_ == kCapacity) throw ProtocolError(beast::http::error::header_limit);
    if (Fill() > 0) continue;
    beast::error_code error;
    parser.put_eof(error);
    if (error) throw net::EndOfStream("receive a body from", socket_.peer());
    return false;
  }
}

template void Receiver::ReceiveHead(beast::http::basic_parser<true>&);
template void Receiver::ReceiveHead(beast::http::basic_parser<false>&);
template bool Receiver::ReceiveThrough(beast::http::basic_parser<true>&);
template bool Receiver::ReceiveThrough(beast::http::basic_parser<false>&);

}  // namespace rpycbench::http
