// The serving side of TLS: 1.2 and 1.3 with AEAD suites, client certificates are requested but
// verified per request.
#pragma once

#include "scalers/deadline.hpp"
#include "server/tls/peer.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace weir::server {

struct KeyPair {
  std::string certificate_file;  // PEM, the leaf first
  std::string key_file;          // PEM
};

struct TlsSettings {
  int min_version = TLS1_2_VERSION;
  std::string suites = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2, as OpenSSL writes them
};

// Throws std::runtime_error with the file and the reason when the pair cannot be used.
[[nodiscard]] boost::asio::ssl::context make_server_context(const KeyPair& pair,
                                                            const ClientTrust& trust,
                                                            const TlsSettings& settings = {});

// When the certificate of `context` expires; nullopt when it has none.
[[nodiscard]] std::optional<WallTime> expiry_of(boost::asio::ssl::context& context);

// Sets the acceptable CA names that later handshakes send to clients: the subjects of `trust`.
void set_client_ca_names(boost::asio::ssl::context& context, const ClientTrust& trust);

// The pair apiserver.crt and apiserver.key in `folder`. Unless both exist, they are generated:
// ECDSA P-256, valid for one year, for localhost, 127.0.0.1, ::1 and `address`. Throws
// std::runtime_error when they cannot be written.
[[nodiscard]] KeyPair self_signed_pair(const std::string& folder, const std::string& address);

}  // namespace weir::server
