// Certificates for tests: authorities, intermediates and leaves, made with OpenSSL as they are
// needed. Single thread.
#pragma once

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::test {

using KeyHandle = std::shared_ptr<EVP_PKEY>;
using CertificateHandle = std::shared_ptr<X509>;

// A certificate and its key.
struct Issued {
  CertificateHandle certificate;
  KeyHandle key;
};

struct CertificateSettings {
  // Object name and value of each part of the subject, such as {"CN", "bob"}; a dotted number too.
  std::vector<std::pair<std::string, std::string>> subject;
  bool is_authority = false;
  std::string extended_key_usage;   // as in openssl.cnf; empty: none
  long starts_in = -3600;           // seconds from now
  long ends_in = 3600;              // seconds from now
  std::string alternative_names{};  // as in openssl.cnf; empty: none
};

inline void require_made(bool is_made, const char* what) {
  if (!is_made) throw std::runtime_error(std::string("test certificate: ") + what);
}

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require_made(extension != nullptr, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline void add_name(X509_NAME* name, const std::string& object, const std::string& value) {
  ASN1_OBJECT* type = OBJ_txt2obj(object.c_str(), 0);
  require_made(type != nullptr, "name");
  X509_NAME_add_entry_by_OBJ(name,
                             type,
                             MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()),
                             -1,
                             0);
  ASN1_OBJECT_free(type);
}

// Signed by `issuer`, or by itself when that is nullptr. ECDSA P-256.
inline Issued issue(const CertificateSettings& settings, const Issued* issuer = nullptr) {
  static long serial = 1;
  Issued out{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  X509* raw = out.certificate.get();
  require_made(raw != nullptr && out.key != nullptr, "key");
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
  X509_gmtime_adj(X509_getm_notBefore(raw), settings.starts_in);
  X509_gmtime_adj(X509_getm_notAfter(raw), settings.ends_in);
  for (const auto& [object, value] : settings.subject)
    add_name(X509_get_subject_name(raw), object, value);
  X509* signer = issuer == nullptr ? raw : issuer->certificate.get();
  X509_set_issuer_name(raw, X509_get_subject_name(signer));
  X509_set_pubkey(raw, out.key.get());
  if (settings.is_authority) {
    add_extension(raw, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(raw, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  if (!settings.extended_key_usage.empty())
    add_extension(raw, signer, NID_ext_key_usage, settings.extended_key_usage);
  if (!settings.alternative_names.empty())
    add_extension(raw, signer, NID_subject_alt_name, settings.alternative_names);
  EVP_PKEY* signing_key = issuer == nullptr ? out.key.get() : issuer->key.get();
  require_made(X509_sign(raw, signing_key, EVP_sha256()) > 0, "signature");
  return out;
}

inline Issued issue_authority(const std::string& name, const Issued* issuer = nullptr) {
  return issue({.subject = {{"CN", name}}, .is_authority = true, .extended_key_usage = {}}, issuer);
}

template <class Write>
std::string pem_of(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  require_made(memory != nullptr && write(memory.get()) == 1, "PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

inline std::string certificate_pem(const Issued& issued) {
  return pem_of([&](BIO* out) { return PEM_write_bio_X509(out, issued.certificate.get()); });
}

inline std::string key_pem(const Issued& issued) {
  return pem_of([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, issued.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace weir::test
