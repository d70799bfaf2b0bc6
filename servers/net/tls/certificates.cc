#include "servers/net/tls/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <stdexcept>

namespace rpycbench::net {
namespace {

// A clock that is a little behind must not find a certificate too new.
constexpr std::chrono::minutes kBackdated{5};

void Check(bool succeeded, const char* operation) {
  if (succeeded) return;
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  throw std::runtime_error(std::string(operation) + ": " + text);
}

// Returns what `write` writes, as text.
template <class Write>
std::string Pem(const Write& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  Check(memory && write(memory.get()) == 1, "write PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), X509_EXTENSION_free);
  Check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extend a certificate");
}

void SetRandomSerial(X509* certificate) {
  std::uint64_t serial = 0;
  Check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "draw a number");
  Check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1,
        "number a certificate");
}

// Returns the names as a subjectAltName: "DNS:localhost,IP:127.0.0.1".
std::string AlternativeNames(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    boost::system::error_code not_numeric;
    boost::asio::ip::make_address(name, not_numeric);
    list += (list.empty() ? "" : ",") + std::string(not_numeric ? "DNS:" : "IP:") + name;
  }
  return list;
}

}  // namespace

CertificateAuthority::Key CertificateAuthority::NewKey() {
  Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Check(key != nullptr, "make a key");
  return key;
}

CertificateAuthority::CertificateAuthority() : key_(NewKey()), certificate_(nullptr, X509_free) {
  certificate_ = Sign(key_.get(), "rpycbench authority", "", true, std::chrono::hours(24));
}

CertificateAuthority::Certificate CertificateAuthority::Sign(EVP_PKEY* subject,
                                                             const std::string& common_name,
                                                             const std::string& names,
                                                             bool is_authority,
                                                             std::chrono::seconds validity) const {
  Certificate result(X509_new(), X509_free);
  X509* const certificate = result.get();
  Check(certificate != nullptr, "make a certificate");
  X509* const issuer = is_authority ? certificate : certificate_.get();
  X509_set_version(certificate, X509_VERSION_3);
  SetRandomSerial(certificate);
  X509_gmtime_adj(X509_getm_notBefore(certificate),
                  -std::chrono::seconds(kBackdated).count() + std::min(validity.count(), 0l));
  X509_gmtime_adj(X509_getm_notAfter(certificate), validity.count());
  X509_set_pubkey(certificate, subject);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  AddExtension(certificate, issuer, NID_basic_constraints,
               is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  AddExtension(certificate, issuer, NID_key_usage,
               is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  AddExtension(certificate, issuer, NID_subject_key_identifier, "hash");
  AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid");
  if (!is_authority) {
    AddExtension(certificate, issuer, NID_ext_key_usage,
                 names.empty() ? "clientAuth" : "serverAuth");
  }
  if (!names.empty()) AddExtension(certificate, issuer, NID_subject_alt_name, names);
  Check(X509_sign(certificate, key_.get(), EVP_sha256()) > 0, "sign a certificate");
  return result;
}

std::string CertificateAuthority::certificate() const {
  return Pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate_.get()); });
}

Identity CertificateAuthority::Issue(const std::vector<std::string>& names,
                                     std::chrono::seconds validity) const {
  const Key key = NewKey();
  const Certificate certificate =
      Sign(key.get(), names.empty() ? "rpycbench client" : names.front(), AlternativeNames(names),
           false, validity);
  return {
      .certificate = Pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); }),
      .key = Pem([&](BIO* out) {
        return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      }),
  };
}

}  // namespace rpycbench::net
