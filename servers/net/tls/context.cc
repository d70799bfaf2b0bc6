#include "servers/net/tls/context.h"

#include <openssl/ssl.h>

#include <stdexcept>
#include <utility>

namespace rpycbench::net {
namespace {

namespace ssl = boost::asio::ssl;

int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void Check(const boost::system::error_code& error, const char* operation, const std::string& file) {
  if (error) {
    throw std::runtime_error(std::string(operation) + " \"" + file + "\": " + error.message());
  }
}

void Require(const std::string& file, const char* what) {
  if (file.empty()) throw std::runtime_error(std::string("TLS needs ") + what);
}

}  // namespace

TlsContext::TlsContext(Role role, const TlsOptions& options) : role_(role) {
  LoadFiles(options);
  SSL_CTX* const context = context_.native_handle();
  SSL_CTX_set_ex_data(context, ContextIndex(), this);
  const int version = options.version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  // Connections that wait give their buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (!options.application.empty()) NameApplication(options.application);
  if (is_server()) {
    // A server that verifies clients resumes only sessions that carry its name.
    static constexpr unsigned char kName[] = "rpycbench";
    SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // the tickets have all
  } else {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, [](SSL* connection, SSL_SESSION* session) {
      return Of(connection).KeepSession(session) ? 1 : 0;
    });
  }
}

void TlsContext::LoadFiles(const TlsOptions& options) {
  boost::system::error_code error;
  if (is_server()) {
    Require(options.certificate, "a certificate");
    Require(options.key, "the key of its certificate");
  } else {
    Require(options.authority, "an authority to trust");
  }
  if (!options.certificate.empty()) {
    Require(options.key, "the key of its certificate");
    context_.use_certificate_chain_file(options.certificate, error);
    Check(error, "read the certificate", options.certificate);
    context_.use_private_key_file(options.key, ssl::context::pem, error);
    Check(error, "read the key", options.key);
  }
  if (options.authority.empty()) return;
  context_.load_verify_file(options.authority, error);
  Check(error, "read the authority", options.authority);
  context_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
}

void TlsContext::NameApplication(const std::string& application) {
  application_ = static_cast<char>(application.size()) + application;
  SSL_CTX* const context = context_.native_handle();
  const auto* name = reinterpret_cast<const unsigned char*>(application_.data());
  const auto size = static_cast<unsigned>(application_.size());
  if (!is_server()) {
    SSL_CTX_set_alpn_protos(context, name, size);
    return;
  }
  // A client that offers other protocols only is refused; one that offers none is not.
  SSL_CTX_set_alpn_select_cb(
      context,
      [](SSL* connection, const unsigned char** chosen, unsigned char* chosen_size,
         const unsigned char* offered, unsigned offered_size, void*) {
        const std::string& ours = Of(connection).application_;
        unsigned char* found = nullptr;
        if (SSL_select_next_proto(&found, chosen_size,
                                  reinterpret_cast<const unsigned char*>(ours.data()),
                                  static_cast<unsigned>(ours.size()), offered,
                                  offered_size) != OPENSSL_NPN_NEGOTIATED) {
          return SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        *chosen = found;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
}

TlsContext& TlsContext::Of(SSL* connection) {
  return *static_cast<TlsContext*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), ContextIndex()));
}

bool TlsContext::KeepSession(SSL_SESSION* session) {
  if (!resumes_) return false;
  Session kept(session, SSL_SESSION_free);
  const std::scoped_lock lock(mutex_);
  session_.swap(kept);
  return true;
}

std::uint64_t TlsContext::resumed() const {
  // The call takes no const pointer, although it only reads.
  SSL_CTX* const context = const_cast<TlsContext*>(this)->context_.native_handle();
  return static_cast<std::uint64_t>(SSL_CTX_sess_hits(context));
}

TlsContext::Session TlsContext::SessionToResume() {
  if (!resumes_) return nullptr;
  const std::scoped_lock lock(mutex_);
  return session_;
}

}  // namespace rpycbench::net
