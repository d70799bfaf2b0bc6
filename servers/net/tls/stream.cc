#include "servers/net/tls/stream.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

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

// Returns the name of the group in which the keys were exchanged.
std::string KeyExchange(SSL* connection) {
#if OPENSSL_VERSION_PREREQ(3, 2)
  const char* name = SSL_get0_group_name(connection);  // also of groups that have no number
#else
  const char* name = OBJ_nid2sn(static_cast<int>(SSL_get_negotiated_group(connection)));
#endif
  return name != nullptr ? name : "unknown";
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

TlsStream::~TlsStream() {
  // Otherwise OpenSSL forgets the session of a connection that ended without close_notify, and many
  // HTTP servers send none. TLS allows to resume it since 1.1 (RFC 4346, 7.2.1).
  SSL_set_shutdown(stream_.native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
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

void TlsStream::SendRecords(const char* data, std::size_t size, int flags, bool more) {
  boost::system::error_code error;
  while (size > 0) {
    // All records but the last leave when the kernel has enough for a segment.
    const bool last = size <= kRecordBytes && !more;
    stream_.next_layer().flags = last ? flags : flags | MSG_MORE;
    const std::size_t sent = stream_.write_some(asio::const_buffer(data, size), error);
    if (error) Fail(error, "send by TLS to");
    data += sent;
    size -= sent;
  }
}

void TlsStream::Send(Socket& socket, std::span<iovec> blocks, int flags) {
  stream_.next_layer().socket = &socket;
  while (!blocks.empty() && blocks.back().iov_len == 0) blocks = blocks.first(blocks.size() - 1);
  std::size_t joined = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const char* data = static_cast<const char*>(blocks[i].iov_base);
    std::size_t left = blocks[i].iov_len;
    const bool last = i + 1 == blocks.size();
    while (left > 0) {
      if (joined == 0 && (left >= kRecordBytes || last)) {
        SendRecords(data, left, flags, !last);
        break;
      }
      if (!record_) record_ = std::make_unique_for_overwrite<char[]>(kRecordBytes);
      const std::size_t taken = std::min(left, kRecordBytes - joined);
      std::memcpy(record_.get() + joined, data, taken);
      joined += taken;
      data += taken;
      left -= taken;
      if (joined == kRecordBytes || (last && left == 0)) {
        SendRecords(record_.get(), std::exchange(joined, 0), flags, !last || left > 0);
      }
    }
  }
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

std::string TlsStream::Describe() const {
  SSL* const connection = const_cast<TlsStream*>(this)->stream_.native_handle();
  std::string text = std::string(SSL_get_version(connection)) + ", " +
                     SSL_get_cipher_name(connection) + ", " + KeyExchange(connection);
  const X509* const certificate = SSL_get0_peer_certificate(connection);
  if (certificate == nullptr) return text;
  char group[64] = "unknown";
  EVP_PKEY_get_group_name(X509_get0_pubkey(certificate), group, sizeof group, nullptr);
  const char* nist = EC_curve_nid2nist(OBJ_txt2nid(group));
  return text + ", certificate " + (nist != nullptr ? nist : group);
}

}  // namespace rpycbench::net
