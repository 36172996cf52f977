// Reads CA bundles and verifies client certificates with OpenSSL, by the rules of Go's crypto/x509.
#include "server/tls/peer.hpp"

#include "server/crypto/asn1_time.hpp"
#include "server/crypto/c_deleter.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace weir::server {
namespace {

using apiservice::PeerCertificate;
using apiservice::Trust;

// Kubernetes' own number; API servers from 1.33 on read a uid from it.
constexpr const char* kUidOid = "1.3.6.1.4.1.57683.2";
constexpr std::size_t kMaxCertificates = 1000;
// Facts are recomputed at least this often, even if the certificates are valid for longer: the CA
// itself may expire, and a certificate may become valid.
// For what the expiries below do not show: a certificate that becomes valid later, and a CA of the
// bundle that expires.
constexpr auto kLongestValidity = std::chrono::minutes{1};

using File = std::unique_ptr<FILE, CDeleter<std::fclose>>;
using Bio = std::unique_ptr<BIO, CDeleter<BIO_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, CDeleter<X509_STORE_CTX_free>>;

// All values of an attribute, as UTF-8. A value that cannot be converted is skipped.
std::vector<std::string> entries_of(X509* certificate, int nid) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  std::vector<std::string> out;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, nid, at)) >= 0;) {
    unsigned char* text = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) continue;
    out.emplace_back(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  return out;
}

std::string sha256_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string out;
  for (unsigned i = 0; i < size; ++i) fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
  return out;
}

Trust trust_in(const std::optional<CaBundle>& bundle, X509* leaf, STACK_OF(X509) * chain) {
  if (!bundle) return Trust::no_bundle;
  return bundle->verifies(leaf, chain) ? Trust::trusted : Trust::untrusted;
}

// The attribute of a UID has a number in Kubernetes but no name in OpenSSL, so it is registered.
int uid_nid() {
  static const int kNid = OBJ_create(kUidOid, "kubernetesUid", "Kubernetes user UID");
  return kNid;
}

PeerCertificate facts_of(X509* leaf, STACK_OF(X509) * chain, const ClientTrust& trust) {
  PeerCertificate out;
  out.by_request_header_ca = trust_in(trust.request_header_ca, leaf, chain);
  out.by_client_ca = trust_in(trust.client_ca, leaf, chain);
  const auto names = entries_of(leaf, NID_commonName);
  // The last one, as in Go, where each further common name overwrites the one before.
  if (!names.empty()) out.common_name = names.back();
  out.organizations = entries_of(leaf, NID_organizationName);
  out.uids = entries_of(leaf, uid_nid());
  out.sha256 = sha256_of(leaf);
  return out;
}

}  // namespace

std::variant<CaBundle, CaBundle::Invalid> CaBundle::load(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  const Bio bio(file ? BIO_new_fp(file.get(), BIO_NOCLOSE) : nullptr);
  if (!bio) return Invalid{"the file cannot be read"};
  return read(bio.get());
}

std::variant<CaBundle, CaBundle::Invalid> CaBundle::parse(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return Invalid{"out of memory"};
  return read(bio.get());
}

std::variant<CaBundle, CaBundle::Invalid> CaBundle::read(BIO* pem) {
  CaBundle out;
  out.store_.reset(X509_STORE_new(), X509_STORE_free);
  // Every certificate of the bundle is a trust anchor, including intermediates, as in Go.
  X509_STORE_set_flags(out.store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
  while (true) {
    std::shared_ptr<X509> certificate(PEM_read_bio_X509(pem, nullptr, nullptr, nullptr), X509_free);
    if (!certificate) break;
    if (out.certificates_.size() == kMaxCertificates)
      return Invalid{fmt::format("it has more than {} certificates", kMaxCertificates)};
    X509_STORE_add_cert(out.store_.get(), certificate.get());
    out.certificates_.push_back(std::move(certificate));
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!is_at_end) return Invalid{"it has an invalid certificate"};
  if (out.certificates_.empty()) return Invalid{"it has no PEM certificate"};
  return out;
}

bool CaBundle::verifies(X509* leaf, STACK_OF(X509) * chain) const {
  const StoreContext context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store_.get(), leaf, chain) != 1) return false;
  // A certificate with extended key usages must have that of a client: the serving certificate of
  // another server of the same CA is not an identity.
  X509_STORE_CTX_set_default(context.get(), "ssl_client");
  const bool is_valid = X509_verify_cert(context.get()) == 1;
  // The queue belongs to the thread: code that does not clear it first would take these errors for
  // its own.
  ERR_clear_error();
  return is_valid;
}

PeerFacts peer_facts(SSL* connection, const ClientTrust& trust) {
  const WallTime now = std::chrono::system_clock::now();
  const WallTime horizon = now + kLongestValidity;
  // Borrowed from the connection, as is the chain.
  X509* leaf = SSL_get0_peer_certificate(connection);
  if (leaf == nullptr) return {std::nullopt, horizon, trust.generation};
  STACK_OF(X509)* chain = SSL_get_peer_cert_chain(connection);
  PeerFacts out{facts_of(leaf, chain, trust), horizon, trust.generation};
  // Verification has seen the expired certificates; of the others the first expiry may change its
  // result.
  const auto limit_validity = [&](X509* certificate) {
    const auto expiry = wall_time_of(X509_get0_notAfter(certificate));
    if (expiry && *expiry > now) out.valid_until = std::min(out.valid_until, *expiry);
  };
  limit_validity(leaf);  // on the server side the chain does not include the leaf
  for (int i = 0; i < sk_X509_num(chain); ++i) limit_validity(sk_X509_value(chain, i));
  return out;
}

}  // namespace weir::server
