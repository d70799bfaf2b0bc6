// The parts of an HTTP message that both ends keep while Boost.Beast's state machine parses it.
// Beast's own parsers store every field in a tree of allocations. These store only the few fields
// that decide what happens next, as views into the receive buffer, and allocate nothing. The base
// class knows length, chunking and keep-alive.
#pragma once

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cstdint>
#include <string_view>

#include "servers/net/buffer.h"

namespace rpycbench::http {

namespace beast = boost::beast;

// The largest head of a message, which is its start line and fields, in bytes.
inline constexpr std::size_t kMaxHeadBytes = 8192;

// How a message declares its transfer coding (RFC 9112, section 6.1).
enum class TransferCoding {
  kNone,
  kChunked,
  kUnknown,   // also a coding that is not known here; the body ends with the last chunk
  kUnframed,  // the coding does not determine where the body ends
};

// Returns whether the field Host may have this value: an address or name and a port, by their
// characters.
inline bool IsHost(std::string_view value) {
  static constexpr auto kAllowed = [] {
    std::array<bool, 256> allowed{};
    for (unsigned char c = '0'; c <= '9'; ++c) allowed[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c) allowed[c] = allowed[c - 'a' + 'A'] = true;
    for (const unsigned char c : std::string_view("-._~%!$&'()*+,;=:[]")) allowed[c] = true;
    return allowed;
  }();
  for (const unsigned char c : value) {
    if (!kAllowed[c]) return false;
  }
  return true;
}

template <bool kIsRequest>
class MessageParser : public beast::http::basic_parser<kIsRequest> {
 public:
  MessageParser() {
    this->header_limit(kMaxHeadBytes);
    this->body_limit(boost::none);  // depends on the target, which is not known yet
  }

  TransferCoding transfer_coding() const {
    if (!has_coding_field_) return TransferCoding::kNone;
    // Beast parses this field differently, so a coding is trusted only if both agree.
    if (!this->chunked() || !last_is_chunked_ || chunked_codings_ > 1) {
      return TransferCoding::kUnframed;
    }
    return codings_ == 1 ? TransferCoding::kChunked : TransferCoding::kUnknown;
  }
  // Collects the parts of a body that passes through the parser: one in chunks, or one that lasts
  // until the end of the stream. Call it before such a body is parsed. `max_bytes` bounds the
  // total; beyond it the parser fails with body_limit.
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
    if (name == beast::http::field::transfer_encoding) AddCodings({value.data(), value.size()});
    OnField(name, value);
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view part, error_code& error) override {
    return Collect(part, error);
  }
  // Beast accepts line ends and other control characters between the quotes of an extension.
  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& error) override {
    const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
    if (std::any_of(extensions.begin(), extensions.end(), is_control)) {
      error = beast::http::error::bad_chunk_extension;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code& error) override {
    return Collect(part, error);
  }
  void on_finish_impl(error_code&) override {}

  // Adds the codings of one field to those of earlier fields. Empty elements mean nothing.
  void AddCodings(std::string_view list) {
    has_coding_field_ = true;
    constexpr std::string_view kBlank = " \t";
    while (!list.empty()) {
      std::string_view coding = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), coding.size() + 1));
      coding.remove_prefix(std::min(coding.size(), coding.find_first_not_of(kBlank)));
      coding = coding.substr(0, coding.find_last_not_of(kBlank) + 1);
      if (coding.empty()) continue;
      ++codings_;
      last_is_chunked_ = beast::iequals({coding.data(), coding.size()}, "chunked");
      chunked_codings_ += last_is_chunked_;
    }
  }

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
  bool has_coding_field_ = false;
  std::size_t codings_ = 0;
  std::size_t chunked_codings_ = 0;
  bool last_is_chunked_ = false;
};

class RequestParser final : public MessageParser<true> {
 public:
  beast::http::verb method() const { return method_; }
  // Returns the target as it was sent: a view into the receive buffer, valid until a body is
  // received.
  std::string_view target() const { return target_; }
  bool is_http_1_0() const { return version_ < 11; }
  // Returns whether the request names its host as HTTP requires: exactly once and correctly, or not
  // at all in HTTP/1.0.
  bool names_host() const {
    return well_named_hosts_ == 1 ? hosts_ == 1 : hosts_ == 0 && is_http_1_0();
  }
  // Returns whether the connection may continue afterwards. "close" outweighs "keep-alive". Beast
  // looks for "keep-alive" first in HTTP/1.0.
  bool keep_alive() const { return !closes_ && MessageParser<true>::keep_alive(); }
  // Returns whether the peer holds the body back until it receives 100 Continue.
  bool expects_continue() const { return expects_continue_ && version_ >= 11; }

 private:
  void on_request_impl(beast::http::verb method, string_view, string_view target, int version,
                       error_code&) override {
    method_ = method;
    target_ = {target.data(), target.size()};
    version_ = version;
  }
  void OnField(beast::http::field name, string_view value) override {
    switch (name) {
      case beast::http::field::host:
        ++hosts_;
        well_named_hosts_ += IsHost({value.data(), value.size()});
        break;
      case beast::http::field::expect:
        if (beast::iequals(value, "100-continue")) expects_continue_ = true;
        break;
      case beast::http::field::connection:
        if (is_http_1_0() && beast::http::token_list(value).exists("close")) closes_ = true;
        break;
      default:
        break;
    }
  }

  beast::http::verb method_ = beast::http::verb::unknown;
  std::string_view target_;
  int version_ = 11;
  unsigned hosts_ = 0;
  unsigned well_named_hosts_ = 0;
  bool expects_continue_ = false;
  bool closes_ = false;
};

class ResponseParser final : public MessageParser<false> {
 public:
  int status() const { return status_; }

 private:
  void on_response_impl(int status, string_view, int, error_code&) override { status_ = status; }

  int status_ = 0;
};

}  // namespace rpycbench::http
