// A private certificate authority, and what it signs: P-256 certificates as TLS wants them. Servers
// and clients of one run get theirs from it, so nothing is installed or kept.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

// OpenSSL's.
struct evp_pkey_st;
struct x509_st;

namespace rpycbench::net {

// A certificate and its private key, in PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

class CertificateAuthority {
 public:
  // Makes a key and signs its own certificate. Throws std::runtime_error if OpenSSL fails, as all
  // functions here.
  CertificateAuthority();

  // Returns the authority's own certificate, in PEM, which peers trust.
  std::string certificate() const;
  // Signs a certificate for the names, each a host name or an IP address. Without names it is one
  // for a client. It is valid from now on, and for `validity`; a negative one has ended already.
  Identity Issue(const std::vector<std::string>& names,
                 std::chrono::seconds validity = std::chrono::hours(24)) const;

 private:
  using Key = std::unique_ptr<evp_pkey_st, void (*)(evp_pkey_st*)>;
  using Certificate = std::unique_ptr<x509_st, void (*)(x509_st*)>;

  static Key NewKey();
  Certificate Sign(evp_pkey_st* subject, const std::string& common_name, const std::string& names,
                   bool is_authority, std::chrono::seconds validity) const;

  Key key_;
  Certificate certificate_;
};

}  // namespace rpycbench::net
