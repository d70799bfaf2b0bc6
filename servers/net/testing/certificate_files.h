// For tests: certificates in files, which go with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "servers/net/tls/certificates.h"
#include "servers/net/tls/context.h"

namespace rpycbench::net {

class CertificateFiles {
 public:
  CertificateFiles() : folder_(std::filesystem::temp_directory_path() / "rpycbench_tls_XXXXXX") {
    std::string path = folder_.string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp " + path);
    folder_ = path;
  }
  ~CertificateFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CertificateFiles(const CertificateFiles&) = delete;
  CertificateFiles& operator=(const CertificateFiles&) = delete;

  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = folder_ / name;
    std::ofstream file(path);
    file << content;
    file.close();
    if (!file) throw std::runtime_error("write " + path);
    return path;
  }
  TlsOptions Of(const Identity& identity, const std::string& name) const {
    return {.certificate = Write(name + ".pem", identity.certificate),
            .key = Write(name + ".key", identity.key)};
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace rpycbench::net
