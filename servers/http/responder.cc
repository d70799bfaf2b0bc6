#include "servers/http/responder.h"

#include "servers/http/chunk_json.h"
#include "servers/http/chunked_body.h"
#include "servers/http/routes.h"
#include "servers/http/text.h"

namespace rpycbench::http {

namespace beast_http = boost::beast::http;

void Responder::StartAnswer(bool is_http_1_0, bool keep_alive, bool head_only) {
  is_http_1_0_ = is_http_1_0;
  keep_alive_ = keep_alive;
  head_only_ = head_only;
}

void Responder::WriteHead(beast_http::status code, std::string_view type,
                          std::optional<std::uint64_t> length, const Field& field) {
  out_.clear();
  blocks_.clear();
  out_.append("HTTP/1.1 ");
  AppendNumber(out_, static_cast<unsigned>(code));
  out_.push_back(' ');
  const auto reason = beast_http::obsolete_reason(code);
  out_.append({reason.data(), reason.size()});
  out_.append("\r\nContent-Type: ");
  if (longer_) [[unlikely]]
    out_.push_back(' ');  // any number of spaces is valid here
  out_.append(type);
  if (length) {
    out_.append("\r\nContent-Length: ");
    AppendNumber(out_, *length);
  } else {
    out_.append("\r\nTransfer-Encoding: chunked");
  }
  if (!field.name.empty()) {
    out_.append("\r\n");
    out_.append(field.name);
    out_.append(": ");
    out_.append(field.value);
  }
  // Written only where the default of the version differs.
  if (!keep_alive_) {
    out_.append("\r\nConnection: close");
  } else if (is_http_1_0_) {
    out_.append("\r\nConnection: keep-alive");
  }
  out_.append("\r\n\r\n");
  head_bytes_ = out_.size();
}

void Responder::SendContinue() {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  socket_.SendAll(kContinue.data(), kContinue.size());
}

void Responder::SendJson(std::string_view json) {
  WriteHead(beast_http::status::ok, kJson, json.size());
  if (!head_only_) out_.append(json);
  socket_.SendMessage(out_.data(), out_.size(), head_bytes_);
}

void Responder::SendHeadAndBlocks() {
  if (head_only_) blocks_.clear();
  blocks_.insert(blocks_.begin(), {out_.data(), out_.size()});
  socket_.SendMessage(blocks_, head_bytes_);
}

void Responder::SendBytes(std::string_view bytes) {
  WriteHead(beast_http::status::ok, kOctets, bytes.size());
  blocks_.push_back({const_cast<char*>(bytes.data()), bytes.size()});  // iovec has no const form
  SendHeadAndBlocks();
}

void Responder::SendPayload(const service::Payload& payload) {
  WriteHead(beast_http::status::ok, kOctets, payload.size());
  payload.AppendPieces(blocks_);
  SendHeadAndBlocks();
}

void Responder::SendChunks(const service::Chunks& chunks) {
  constexpr std::size_t kBlockBytes = std::size_t{256} << 10;  // fits a core's cache
  ChunkEncoder encoder(chunks);
  WriteHead(beast_http::status::ok, kJson, encoder.document_bytes());
  std::size_t filled = out_.size();
  out_.resize(filled + kBlockBytes);
  if (!head_only_) filled += encoder.Encode(out_.data() + filled, kBlockBytes);
  socket_.SendMessage(out_.data(), filled, head_bytes_);
  while (!head_only_ && (filled = encoder.Encode(out_.data(), kBlockBytes)) > 0) {
    socket_.SendAll(out_.data(), filled);
  }
}

void Responder::SendStream(const service::Chunks& chunks) {
  if (is_http_1_0_) return SendPayload(chunks.whole);
  WriteHead(beast_http::status::ok, kOctets, std::nullopt);
  if (head_only_) return socket_.SendAll(out_.data(), out_.size());
  SendChunkedBody(socket_, out_.view(), chunks, blocks_);
}

void Responder::SendOptions(std::string_view allowed) {
  WriteHead(beast_http::status::ok, kJson, 0, {"Allow", allowed});
  socket_.SendMessage(out_.data(), out_.size(), head_bytes_);
}

void Responder::SendError(beast_http::status code, std::string_view text, const Field& field) {
  const std::string json = R"({"error":")" + JsonText(text) + R"("})";
  WriteHead(code, kJson, json.size(), field);
  if (!head_only_) out_.append(json);
  socket_.SendMessage(out_.data(), out_.size(), head_bytes_);
}

}  // namespace rpycbench::http
