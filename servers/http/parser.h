// What both ends keep of an HTTP message while Boost.Beast's state machine parses it. Beast's own
// parsers store every field in a tree of allocations; these store the handful that decides what
// happens next, as views into the receive buffer, and allocate nothing. Length, chunking and
// keep-alive are known to the base class.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string_view>

#include "servers/net/buffer.h"

namespace rpycbench::http {

namespace beast = boost::beast;

// The largest head of a message, start line and fields, in bytes.
inline constexpr std::size_t kMaxHeadBytes = 8192;

template <bool kIsRequest>
class MessageParser : public beast::http::basic_parser<kIsRequest> {
 public:
  MessageParser() {
    this->header_limit(kMaxHeadBytes);
    this->body_limit(boost::none);  // known only once the target is
  }

  // Whether the message is encoded for transfer in a way other than plain chunks.
  bool unsupported_coding() const { return unsupported_coding_; }
  // Where the parts of a body go that passes through the parser: one in chunks, or one that lasts
  // until the end of the stream. Must be set before such a body is parsed; `max_bytes` bounds the
  // total, beyond it the parser fails with body_limit.
  void CollectInto(net::Buffer& body, std::uint64_t max_bytes) {
    body_ = &body;
    bytes_left_ = max_bytes;
  }

 protected:
  using string_view = beast::string_view;
  using error_code = beast::error_code;

  virtual void OnField(beast::http::field, string_view) {}

 private:
  void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field name, string_view, string_view value,
                     error_code&) override {
    if (name == beast::http::field::transfer_encoding && !beast::iequals(value, "chunked")) {
      unsupported_coding_ = true;
    }
    OnField(name, value);
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view part, error_code& error) override {
    return Collect(part, error);
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& error) override {
    return Collect(part, error);
  }
  void on_finish_impl(error_code&) override {}

  std::size_t Collect(string_view part, error_code& error) {
    if (part.size() > bytes_left_) {
      error = beast::http::error::body_limit;
      return 0;
    }
    bytes_left_ -= part.size();
    body_->append({part.data(), part.size()});
    return part.size();
  }

  net::Buffer* body_ = nullptr;
  std::uint64_t bytes_left_ = 0;
  bool unsupported_coding_ = false;
};

class RequestParser final : public MessageParser<true> {
 public:
  beast::http::verb method() const { return method_; }
  // As it was sent; a view into the receive buffer, valid until a body is received.
  std::string_view target() const { return target_; }
  bool is_http_1_0() const { return version_ < 11; }
  // Whether the peer holds the body back until it is told to go on.
  bool expects_continue() const { return expects_continue_ && version_ >= 11; }

 private:
  void on_request_impl(beast::http::verb method, string_view, string_view target, int version,
                       error_code&) override {
    method_ = method;
    target_ = {target.data(), target.size()};
    version_ = version;
  }
  void OnField(beast::http::field name, string_view value) override {
    if (name == beast::http::field::expect && beast::iequals(value, "100-continue")) {
      expects_continue_ = true;
    }
  }

  beast::http::verb method_ = beast::http::verb::unknown;
  std::string_view target_;
  int version_ = 11;
  bool expects_continue_ = false;
};

class ResponseParser final : public MessageParser<false> {
 public:
  int status() const { return status_; }

 private:
  void on_response_impl(int status, string_view, int, error_code&) override { status_ = status; }

  int status_ = 0;
};

}  // namespace rpycbench::http
