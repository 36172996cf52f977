// Builds the SSL_CTX of the server. The certificate of a client never fails a handshake.
#include "server/tls/context.hpp"

#include "server/crypto/asn1_time.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace weir::server {
namespace {

namespace ssl = boost::asio::ssl;

// Parsing a certificate with a P-521 key costs 0.2 ms, so the chain of an unauthenticated peer is
// bounded: 30 small certificates, or one large.
constexpr long kMaxChainBytes = 20L * 1024;
constexpr std::string_view kHttp11 = "\x08http/1.1";

std::string last_failure() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

// Accepts every client certificate, because certificates are verified per request against the CA
// bundles of that moment. It replaces OpenSSL's verification, which would check each signature of
// the chain of an unauthenticated peer: 50 ms for 100 certificates.
int accept_any(X509_STORE_CTX* /*context*/, void* /*unused*/) { return 1; }

int choose_http11(SSL* /*connection*/,
                  const unsigned char** chosen,
                  unsigned char* chosen_size,
                  const unsigned char* offered,
                  unsigned offered_size,
                  void* /*unused*/) {
  unsigned char* match = nullptr;
  const int outcome = SSL_select_next_proto(&match,
                                            chosen_size,
                                            reinterpret_cast<const unsigned char*>(kHttp11.data()),
                                            static_cast<unsigned>(kHttp11.size()),
                                            offered,
                                            offered_size);
  // RFC 7301, 3.2: a client that offers only other protocols gets an alert. Without ALPN the
  // callback is not called, and HTTP/1.1 is spoken.
  if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = match;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::optional<WallTime> expiry_of(ssl::context& context) {
  const X509* certificate = SSL_CTX_get0_certificate(context.native_handle());
  return certificate == nullptr ? std::nullopt : wall_time_of(X509_get0_notAfter(certificate));
}

void set_client_ca_names(ssl::context& context, const ClientTrust& trust) {
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  // Hints only: a client with several certificates selects one by them.
  for (const auto* bundle : {&trust.request_header_ca, &trust.client_ca}) {
    if (!*bundle) continue;
    for (const auto& certificate : (*bundle)->certificates())
      sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(certificate.get())));
  }
  SSL_CTX_set_client_CA_list(context.native_handle(), names);  // takes ownership
}

ssl::context make_server_context(const KeyPair& pair,
                                 const ClientTrust& trust,
                                 const TlsSettings& settings) {
  ssl::context context(ssl::context::tls_server);
  SSL_CTX* raw = context.native_handle();
  SSL_CTX_set_min_proto_version(raw, settings.min_version);
  SSL_CTX_set_options(
      raw,
      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(raw, settings.suites.c_str());
  // No session resumption: a resumed session has the certificate of an earlier connection.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(raw, 0);
  // Requests a certificate. Without SSL_VERIFY_FAIL_IF_NO_PEER_CERT it is optional: probes and
  // callers with a token have none.
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_max_cert_list(raw, kMaxChainBytes);
  SSL_CTX_set_cert_verify_callback(raw, accept_any, nullptr);
  SSL_CTX_set_alpn_select_cb(raw, choose_http11, nullptr);
  set_client_ca_names(context, trust);
  if (SSL_CTX_use_certificate_chain_file(raw, pair.certificate_file.c_str()) != 1) {
    throw std::runtime_error(
        fmt::format("cannot use the certificate {}: {}", pair.certificate_file, last_failure()));
  }
  // After the certificate, because OpenSSL then compares the two: a rotation that has replaced one
  // of the files is an error, and the pair in use stays.
  // The comparison by hand is for a key of another type, which OpenSSL puts beside the certificate.
  if (SSL_CTX_use_PrivateKey_file(raw, pair.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    throw std::runtime_error(fmt::format("cannot use the key {} of {}: {}",
                                         pair.key_file,
                                         pair.certificate_file,
                                         last_failure()));
  }
  return context;
}

}  // namespace weir::server
