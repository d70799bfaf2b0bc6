#include "servers/http/session.h"

#include <chrono>
#include <optional>
#include <string>

#include "servers/http/chunk_json.h"
#include "servers/http/item_json.h"
#include "servers/http/parser.h"
#include "servers/http/receiver.h"
#include "servers/http/responder.h"
#include "servers/http/routes.h"
#include "servers/http/text.h"
#include "servers/net/log.h"

namespace rpycbench::http {
namespace {

using beast::http::status;
using beast::http::verb;

// The request gets an error as its answer.
class Refusal : public std::runtime_error {
 public:
  Refusal(status code, const std::string& text, Field field = {})
      : std::runtime_error(text), code_(code), field_(field) {}
  status code() const { return code_; }
  const Field& field() const { return field_; }

 private:
  status code_;
  Field field_;  // its texts must live as long as the program
};

// Returns the status for an error. `has_request_line` says whether at least that line has arrived.
status StatusOf(const ProtocolError& error, bool has_request_line) {
  if (error.code() == beast::http::error::header_limit) {
    return has_request_line ? status::request_header_fields_too_large : status::uri_too_long;
  }
  if (error.code() == beast::http::error::bad_version) return status::http_version_not_supported;
  if (error.code() == beast::http::error::body_limit) return status::payload_too_large;
  return status::bad_request;
}

class Session {
 public:
  Session(net::Socket& socket, const service::Service& service)
      : socket_(socket),
        service_(service),
        receiver_(socket),
        responder_(socket, service.injection().lengthens_replies()) {}

  void Run() {
    while (AwaitRequest()) {
      if (!ServeRequest()) return Drain();
    }
  }

 private:
  bool AwaitRequest();
  bool ServeRequest();
  void CheckHead(const RequestParser& parser);
  void Answer(RequestParser& parser);
  void AnswerOptions(RequestParser& parser, std::string_view allowed);
  bool Offers(const Route& route) const {
    return route.operation != Operation::kCrash || service_.crash_allowed();
  }
  void Perform(const Match& match, RequestParser& parser);
  void CheckBody(RequestParser& parser, std::uint64_t max_bytes);
  void ReceiveBody(RequestParser& parser);
  void ReceiveChunks(RequestParser& parser);
  void NoteRequestRead() {
    request_read_ = true;
    service_.injection().Apply();
  }
  template <class Number>
  void SendNumber(std::string_view name, Number number);
  bool SendRefusal(const Refusal& refusal);
  void Drain() noexcept;

  net::Socket& socket_;
  const service::Service& service_;
  Receiver receiver_;
  Responder responder_;
  net::Buffer body_;     // the request's body; its memory is kept for the next one
  net::Buffer scratch_;  // pieces of a chunk document, small JSON
  bool request_read_ = false;
};

// Waits for the first byte of a request. Returns false if the peer has left, which it may do
// between requests. It leaves by ending the stream, by a reset, which avoids a TIME_WAIT, or
// without the close_notify of TLS, which Python's clients never send.
bool Session::AwaitRequest() {
  receiver_.SkipEmptyLines();
  while (receiver_.empty()) {
    try {
      if (receiver_.Fill() == 0) return false;
    } catch (const net::Error& error) {
      if (error.code() == std::errc::connection_reset || error.truncated()) return false;
      if (!error.timed_out()) throw;  // the peer may stay idle
      body_.give_back(net::kKeptWhenIdle);
      scratch_.give_back(net::kKeptWhenIdle);
      responder_.GiveBack();
    }
    receiver_.SkipEmptyLines();
  }
  return true;
}

// Serves one request. Returns whether the connection continues; otherwise the answer has been sent.
bool Session::ServeRequest() {
  request_read_ = false;
  responder_.StartAnswer(false, false, false);
  std::optional<Refusal> refusal;
  try {
    RequestParser parser;
    receiver_.ReceiveHead(parser);
    responder_.StartAnswer(parser.is_http_1_0(), parser.keep_alive(),
                           parser.method() == verb::head);
    CheckHead(parser);
    request_read_ = parser.is_done();
    Answer(parser);
    return responder_.keep_alive();
  } catch (const Refusal& error) {
    refusal = error;
  } catch (const service::ValueError& error) {
    refusal.emplace(status::bad_request, error.what());
  } catch (const ChunkError& error) {
    refusal.emplace(status::bad_request, error.what());
  } catch (const ChunkLimitError& error) {
    refusal.emplace(status::payload_too_large, error.what());
  } catch (const ProtocolError& error) {
    request_read_ = false;
    refusal.emplace(StatusOf(error, receiver_.HoldsFirstLine()), error.what());
  }
  return SendRefusal(*refusal);
}

// Refuses requests whose end or addressee is uncertain. They count as unread, whatever Beast
// reports, so the connection closes.
void Session::CheckHead(const RequestParser& parser) {
  switch (parser.transfer_coding()) {
    case TransferCoding::kNone:
      break;
    case TransferCoding::kChunked:
      if (!parser.is_http_1_0()) break;
      throw Refusal(status::bad_request, "HTTP/1.0 has no transfer coding");
    case TransferCoding::kUnknown:
      throw Refusal(status::not_implemented, "transfer coding not supported");
    case TransferCoding::kUnframed:
      throw Refusal(status::bad_request,
                    "the transfer coding does not determine where the body ends");
  }
  if (!parser.names_host()) throw Refusal(status::bad_request, "one valid Host is required");
  if (parser.method() == verb::connect) {
    throw Refusal(status::not_implemented, "this is no proxy");
  }
}

void Session::Answer(RequestParser& parser) {
  if (parser.method() == verb::unknown) {
    throw Refusal(status::not_implemented, "method not supported");
  }
  const bool asks_for_options = parser.method() == verb::options;
  if (asks_for_options && parser.target() == "*") {
    return AnswerOptions(parser, "GET, HEAD, POST, PUT, OPTIONS");
  }
  const std::optional<std::string_view> path = PathOf(parser.target());
  if (!path)
    throw Refusal(status::bad_request, "the target is neither a path nor an http URL with a host");
  const std::optional<Match> match = FindRoute(*path);
  if (!match || !Offers(match->route)) throw Refusal(status::not_found, "unknown path");
  const Route& route = match->route;
  if (asks_for_options) return AnswerOptions(parser, route.allowed());
  const bool asks_for_head = route.method == verb::get && parser.method() == verb::head;
  if (parser.method() != route.method && !asks_for_head) {
    throw Refusal(status::method_not_allowed, "method not allowed", {"Allow", route.allowed()});
  }
  if (route.takes_body()) {
    if (!parser.content_length() && !parser.chunked()) {
      request_read_ = false;  // the next bytes may be a body
      throw Refusal(status::length_required, "a body with a length is required");
    }
  }
  Perform(*match, parser);
}

void Session::AnswerOptions(RequestParser& parser, std::string_view allowed) {
  ReceiveBody(parser);
  responder_.SendOptions(allowed);
}

void Session::Perform(const Match& match, RequestParser& parser) {
  const auto integer = [&](std::size_t i) { return ParseInteger(match.arguments[i]); };
  switch (match.route.operation) {
    case Operation::kPing:
      ReceiveBody(parser);
      scratch_.clear();
      scratch_.append(R"({"response":")");
      scratch_.append(service_.Ping());
      scratch_.append(R"("})");
      return responder_.SendJson(scratch_.view());
    case Operation::kEcho:
      ReceiveBody(parser);
      return responder_.SendBytes(body_.view());
    case Operation::kUpload:
    case Operation::kUploadFile:
      ReceiveBody(parser);
      return SendNumber("size", body_.size());
    case Operation::kUploadFileChunked:
      ReceiveChunks(parser);
      return SendNumber("size", body_.size());
    case Operation::kDownload: {
      const service::Payload payload = service_.Download(integer(0));
      ReceiveBody(parser);
      return responder_.SendPayload(payload);
    }
    case Operation::kDownloadFile: {
      const service::Payload payload = service_.DownloadFile(integer(0));
      ReceiveBody(parser);
      return responder_.SendPayload(payload);
    }
    case Operation::kDownloadFileChunked: {
      const service::Chunks chunks = service_.DownloadFileChunked(integer(0), integer(1));
      ReceiveBody(parser);
      return responder_.SendChunks(chunks);
    }
    case Operation::kDownloadFileStreamed: {
      const service::Chunks chunks = service_.DownloadFileChunked(integer(0), integer(1));
      ReceiveBody(parser);
      return responder_.SendStream(chunks);
    }
    case Operation::kCompute: {
      const std::int64_t n = integer(0);
      ReceiveBody(parser);
      return SendNumber("result", service_.Compute(n));
    }
    case Operation::kSleep: {
      const double seconds = ParseSeconds(match.arguments[0]);
      ReceiveBody(parser);
      return SendNumber("duration", service_.Sleep(seconds));
    }
    case Operation::kValue:
      ReceiveBody(parser);
      return SendNumber("value", service::kValue);
    case Operation::kGetSetting:
      ReceiveBody(parser);
      return SendNumber("setting", service_.setting());
    case Operation::kPutSetting: {
      const std::int64_t setting = integer(0);
      ReceiveBody(parser);
      service_.Set(setting);
      return SendNumber("setting", setting);
    }
    case Operation::kFail:
      ReceiveBody(parser);
      service_.Fail();
    case Operation::kItem: {
      const service::Item item = service_.ItemAt(integer(0));
      ReceiveBody(parser);
      scratch_.clear();
      AppendItem(scratch_, item);
      return responder_.SendJson(scratch_.view());
    }
    case Operation::kItems: {
      const std::size_t count = service_.CheckedCount(integer(0));
      ReceiveBody(parser);
      AppendItems(scratch_, count);
      return responder_.SendJson(scratch_.view());
    }
    case Operation::kCrash:
      service_.Crash();
  }
}

// Refuses a body whose known length is too large; otherwise lets the peer send it.
void Session::CheckBody(RequestParser& parser, std::uint64_t max_bytes) {
  if (parser.is_done()) return;
  if (parser.content_length().value_or(0) > max_bytes) {
    throw Refusal(status::payload_too_large,
                  "the body is above the limit of " + std::to_string(max_bytes) + " bytes");
  }
  if (parser.expects_continue() && receiver_.empty()) responder_.SendContinue();
}

// Receives the body into body_. A request without a body, as GET usually is, leaves it empty.
void Session::ReceiveBody(RequestParser& parser) {
  const std::uint64_t max_bytes = static_cast<std::uint64_t>(service_.limits().max_bytes);
  CheckBody(parser, max_bytes);
  receiver_.ReceiveWhole(parser, body_, max_bytes);
  NoteRequestRead();
}

// Receives the decoded chunks into body_, one after another.
void Session::ReceiveChunks(RequestParser& parser) {
  const ChunkDecoder::Limits limits{static_cast<std::uint64_t>(service_.limits().max_bytes),
                                    static_cast<std::uint64_t>(service_.limits().max_chunks)};
  const std::uint64_t max_bytes = ChunkDecoder::MaxDocumentBytes(limits);
  CheckBody(parser, max_bytes);
  body_.clear();
  // Two digits make one byte, so the buffer never grows. The kernel commits only what really
  // arrives.
  body_.reserve(std::min(parser.content_length().value_or(0) / 2, limits.max_bytes));
  ChunkDecoder decoder(body_, limits);
  receiver_.ReceivePieces(parser, scratch_, max_bytes,
                          [&](std::string_view piece) { decoder.Feed(piece); });
  NoteRequestRead();
  decoder.Finish();
}

template <class Number>
void Session::SendNumber(std::string_view name, Number number) {
  scratch_.clear();
  scratch_.append("{\"");
  scratch_.append(name);
  scratch_.append("\":");
  AppendNumber(scratch_, number);
  scratch_.push_back('}');
  responder_.SendJson(scratch_.view());
}

// Sends the refusal. Returns whether the connection continues, which it cannot if part of the
// request is unread.
bool Session::SendRefusal(const Refusal& refusal) {
  const auto send = [&] { responder_.SendError(refusal.code(), refusal.what(), refusal.field()); };
  if (request_read_) {
    send();
    return responder_.keep_alive();
  }
  net::LogLine("http: " + socket_.peer().ToString() + ": " +
               std::to_string(static_cast<unsigned>(refusal.code())) +
               ", closed: " + refusal.what());
  responder_.WillClose();
  try {
    send();
  } catch (const net::Error&) {
    // The peer has gone or is silent. The log line above already reports it.
  }
  return false;
}

// Reads what the peer still sends, within bounds, until it has seen the end. Closing with unread
// bytes would reset the connection, and a reset can destroy the last answer. Errors are ignored,
// because the answer has been sent.
void Session::Drain() noexcept {
  constexpr std::chrono::seconds kLongest{2};
  constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  try {
    socket_.SetTimeout(kLongest);
    socket_.ShutdownSend();
    scratch_.resize_discarding(std::size_t{64} << 10);
    for (std::uint64_t drained = 0; drained < kMostBytes;) {
      const std::size_t got = socket_.ReceiveSome(scratch_.data(), scratch_.size());
      if (got == 0 || std::chrono::steady_clock::now() > deadline) return;
      drained += got;
    }
  } catch (const std::exception&) {
  }
}

}  // namespace

void ServeSession(net::Socket& socket, const service::Service& service) {
  try {
    Session(socket, service).Run();
  } catch (const net::Error& error) {
    net::LogLine(std::string("http: ") + error.what());
  } catch (const net::EndOfStream& error) {
    net::LogLine(std::string("http: ") + error.what());
  } catch (const std::exception& error) {
    net::LogLine("http: " + socket.peer().ToString() + ": " + error.what());
  }
}

}  // namespace rpycbench::http
