// What all TLS connections of a server, or of a client, share: certificates, version, and sessions
// to resume.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "servers/net/text.h"

namespace rpycbench::net {

enum class TlsVersion { k12, k13 };

inline constexpr EnumNames<TlsVersion, 2> kTlsVersionNames{{"1.2", "1.3"}};

struct TlsOptions {
  // Files in PEM; an empty path means none.
  std::string certificate = {};  // of this end, followed by those that lead to its authority
  std::string key = {};
  std::string authority = {};            // whose certificates this end trusts
  TlsVersion version = TlsVersion::k13;  // both ends speak exactly this one
  std::string application = {};  // the protocol's name for ALPN, such as "http/1.1"; empty: none
};

class TlsContext {
 public:
  enum class Role { kServer, kClient };

  // Reads the files. A server needs a certificate and a key; with an authority it demands
  // certificates of its clients. A client needs an authority, and verifies each server's
  // certificate and name. Throws std::runtime_error that names the file at fault.
  TlsContext(Role role, const TlsOptions& options);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  bool is_server() const { return role_ == Role::kServer; }
  boost::asio::ssl::context& get() { return context_; }

  // Sets whether a client's connections from now on resume the last session that a server has
  // offered one of them. Must be called before the first or between connections.
  void Resume(bool resume) { resumes_ = resume; }
  // Returns how many connections have resumed a session.
  std::uint64_t resumed() const;

 private:
  friend class TlsStream;
  using Session = std::shared_ptr<SSL_SESSION>;

  static TlsContext& Of(SSL* connection);
  void LoadFiles(const TlsOptions& options);
  void NameApplication(const std::string& application);
  // Returns whether the session was taken over.
  bool KeepSession(SSL_SESSION* session);
  // Returns null if there is none to resume.
  Session SessionToResume();

  const Role role_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls};
  std::string application_;  // as ALPN has it: its length, then its name
  bool resumes_ = false;
  std::mutex mutex_;  // guards session_
  Session session_;
};

}  // namespace rpycbench::net
