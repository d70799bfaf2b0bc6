#include "servers/net/tls/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstring>
#include <utility>

#include "servers/net/socket.h"

namespace rpycbench::net {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordBytes = 16 << 10;  // the largest that TLS has

constexpr char kHandshake[] = "shake hands by TLS with";

// Makes a client send the name and verify that the server's certificate has it.
void ExpectName(SSL* connection, const std::string& name) {
  boost::system::error_code not_numeric;
  asio::ip::make_address(name, not_numeric);
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  if (!not_numeric) {
    X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str());
    return;
  }
  SSL_set_tlsext_host_name(connection, name.c_str());  // addresses are not sent (RFC 6066)
  X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size());
}

}  // namespace

TlsStream::Lower::executor_type TlsStream::Lower::get_executor() {
  // For timers that Asio's streams have and their blocking calls do not use.
  static asio::io_context unused;
  return unused.get_executor();
}

void TlsStream::Lower::LimitWait() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  if (left.count() <= 0) {
    throw Error(std::make_error_code(std::errc::timed_out), kHandshake, socket->peer());
  }
  if (left < socket->timeout()) socket->SetTimeout(left);
}

template <class Buffers>
std::size_t TlsStream::Lower::read_some(const Buffers& buffers, boost::system::error_code& error) {
  if (deadline) LimitWait();
  const asio::mutable_buffer into = *asio::buffer_sequence_begin(buffers);
  iovec block{into.data(), into.size()};
  const std::size_t got = socket->ReceivePlain({&block, 1});
  error = got == 0 ? asio::error::eof : boost::system::error_code();
  return got;
}

template <class Buffers>
std::size_t TlsStream::Lower::write_some(const Buffers& buffers, boost::system::error_code& error) {
  const asio::const_buffer from = *asio::buffer_sequence_begin(buffers);
  iovec block{const_cast<void*>(from.data()), from.size()};  // iovec has no const form
  socket->SendPlain({&block, 1}, flags);
  error = {};
  return from.size();
}

TlsStream::TlsStream(TlsContext& context, const std::string& name)
    : context_(context), stream_(Lower(), context.get()) {
  SSL* const connection = stream_.native_handle();
  if (context.is_server()) return;
  ExpectName(connection, name);
  if (const auto session = context.SessionToResume()) SSL_set_session(connection, session.get());
}

void TlsStream::Fail(const boost::system::error_code& error, const char* operation) {
  throw Error(error, operation, stream_.next_layer().socket->peer());
}

void TlsStream::Handshake(Socket& socket) {
  Lower& lower = stream_.next_layer();
  lower.socket = &socket;
  const auto limit = socket.timeout();
  if (limit.count() > 0) lower.deadline = Clock::now() + limit;
  boost::system::error_code error;
  stream_.handshake(context_.is_server() ? stream_.server : stream_.client, error);
  lower.deadline.reset();
  if (socket.timeout() != limit) socket.SetTimeout(limit);
  if (!error) return;
  if (const long why = SSL_get_verify_result(stream_.native_handle()); why != X509_V_OK) {
    const std::string reason = X509_verify_cert_error_string(why);
    Fail(error, ("verify the certificate (" + reason + ") of").c_str());
  }
  Fail(error, kHandshake);
}

std::size_t TlsStream::Receive(Socket& socket, const iovec& into) {
  stream_.next_layer().socket = &socket;
  boost::system::error_code error;
  const std::size_t got =
      stream_.read_some(asio::mutable_buffer(into.iov_base, into.iov_len), error);
  if (error && error != asio::error::eof) Fail(error, "receive by TLS from");
  return got;
}

void TlsStream::SendRecord(const char* data, std::size_t size) {
  boost::system::error_code error;
  while (size > 0) {
    const std::size_t sent = stream_.write_some(asio::const_buffer(data, size), error);
    if (error) Fail(error, "send by TLS to");
    data += sent;
    size -= sent;
  }
}

void TlsStream::Send(Socket& socket, std::span<iovec> blocks, int flags) {
  stream_.next_layer().socket = &socket;
  stream_.next_layer().flags = flags;
  std::size_t joined = 0;
  for (const iovec& block : blocks) {
    const char* data = static_cast<const char*>(block.iov_base);
    std::size_t left = block.iov_len;
    while (left > 0) {
      if (joined == 0 && (left >= kRecordBytes || &block == &blocks.back())) {
        SendRecord(data, left);
        break;
      }
      if (!record_) record_ = std::make_unique_for_overwrite<char[]>(kRecordBytes);
      const std::size_t taken = std::min(left, kRecordBytes - joined);
      std::memcpy(record_.get() + joined, data, taken);
      joined += taken;
      data += taken;
      left -= taken;
      if (joined == kRecordBytes) SendRecord(record_.get(), std::exchange(joined, 0));
    }
  }
  SendRecord(record_.get(), joined);
}

void TlsStream::EndSending(Socket& socket) {
  // Asio's own shutdown also reads, and loses what the peer has sent.
  SSL* const connection = stream_.native_handle();
  if (SSL_get_shutdown(connection) & SSL_SENT_SHUTDOWN) return;
  BIO* const usual = SSL_get_wbio(connection);
  BIO_up_ref(usual);
  SSL_set0_wbio(connection, BIO_new(BIO_s_mem()));
  SSL_shutdown(connection);
  ERR_clear_error();  // before the end of a handshake there is no notice
  char* notice = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(connection), &notice);
  const std::string kept(notice, size > 0 ? static_cast<std::size_t>(size) : 0);
  SSL_set0_wbio(connection, usual);
  iovec block{const_cast<char*>(kept.data()), kept.size()};
  if (!kept.empty()) socket.SendPlain({&block, 1}, 0);
}

bool TlsStream::resumed() const {
  return SSL_session_reused(const_cast<TlsStream*>(this)->stream_.native_handle()) == 1;
}

std::string TlsStream::version() const {
  return SSL_get_version(const_cast<TlsStream*>(this)->stream_.native_handle());
}

std::string TlsStream::cipher() const {
  return SSL_get_cipher_name(const_cast<TlsStream*>(this)->stream_.native_handle());
}

}  // namespace rpycbench::net
