// The self-signed pair for servers without --tls-cert-file, as other Kubernetes API servers have
// it.
#include "server/crypto/c_deleter.hpp"
#include "server/tls/context.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace weir::server {
namespace {

constexpr long kHour = 3600;
constexpr long kYear = 365 * 24 * kHour;

using Key = std::unique_ptr<EVP_PKEY, CDeleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, CDeleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, CDeleter<X509_EXTENSION_free>>;
using File = std::unique_ptr<FILE, CDeleter<std::fclose>>;

void require(bool is_done, const char* what) {
  if (!is_done)
    throw std::runtime_error(fmt::format("cannot create a self-signed certificate: {}", what));
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

std::string names_for(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  const bool is_v4 = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
  const bool is_v6 = !is_v4 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  std::string out = "DNS:localhost,IP:127.0.0.1,IP:::1";
  // An address that is not an IP address would make the extension invalid.
  if (is_v4 || is_v6) out += ",IP:" + address;
  return out;
}

Certificate sign_self(EVP_PKEY* key, const std::string& address) {
  Certificate certificate(X509_new());
  X509* raw = certificate.get();
  std::uint64_t serial = 0;
  require(
      raw != nullptr && RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1,
      "serial number");
  // A positive serial number (RFC 5280, 4.1.2.2), hence 63 bits.
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), serial >> 1U);
  // An hour in the past, because the clocks of clients may be behind.
  X509_gmtime_adj(X509_getm_notBefore(raw), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(raw), kYear);
  X509_NAME* name = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(name,
                             "CN",
                             MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"),
                             -1,
                             -1,
                             0);
  X509_set_issuer_name(raw, name);
  X509_set_pubkey(raw, key);
  // Go ignores the common name and verifies these names only.
  add_extension(raw, NID_subject_alt_name, names_for(address));
  // A CA certificate, so that it can be its own caBundle.
  add_extension(raw, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(raw, NID_key_usage, "critical,digitalSignature,keyCertSign");
  add_extension(raw, NID_ext_key_usage, "serverAuth");
  require(X509_sign(raw, key, EVP_sha256()) > 0, "signature");
  return certificate;
}

File create(const std::string& path, mode_t mode) {
  std::remove(path.c_str());  // an existing file would keep its mode
  // The umask makes the mode exact from the first moment: a key is never readable by others.
  const mode_t before = ::umask(static_cast<mode_t>(~mode & 0777U));
  File file(std::fopen(path.c_str(), "we"));  // e: closed on exec
  ::umask(before);
  require(file != nullptr,
          (path + " cannot be written; set --cert-dir to a folder that can be").c_str());
  return file;
}

}  // namespace

KeyPair self_signed_pair(const std::string& folder, const std::string& address) {
  const KeyPair pair{folder + "/apiserver.crt", folder + "/apiserver.key"};
  std::error_code failed;
  const bool has_certificate = std::filesystem::exists(pair.certificate_file, failed);
  const bool has_key = std::filesystem::exists(pair.key_file, failed);
  if (has_certificate && has_key) return pair;
  // Never replaced: the file that exists may belong to a pair whose other half is on its way.
  if (has_certificate || has_key) {
    throw std::runtime_error(
        fmt::format("{} exists but {} does not; restore the missing file, or remove the other so "
                    "that a new pair is created",
                    has_key ? pair.key_file : pair.certificate_file,
                    has_key ? pair.certificate_file : pair.key_file));
  }
  // A failure shows when the files are created, with the flag to change.
  std::filesystem::create_directories(folder, failed);
  // A handshake with ECDSA costs less CPU than one with RSA.
  const Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  const Certificate certificate = sign_self(key.get(), address);
  const File key_file = create(pair.key_file, 0600);
  require(
      PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "writing the key");
  const File certificate_file = create(pair.certificate_file, 0644);
  require(PEM_write_X509(certificate_file.get(), certificate.get()) == 1,
          "writing the certificate");
  return pair;
}

}  // namespace weir::server
