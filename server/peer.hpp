// What a client certificate proves: PEM bundles of CAs, and the facts of a peer's certificate
// verified against them. Loop thread only, after the start.
#pragma once

#include "apiservice/http.hpp"
#include "scalers/deadline.hpp"

#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::server {

// CA certificates from a PEM file.
class CaBundle {
 public:
  struct Invalid {
    std::string why;
  };
  [[nodiscard]] static std::variant<CaBundle, Invalid> load(const std::string& path);

  // Whether `leaf`, with the peer's own intermediates, leads to one of the bundle's certificates
  // for client authentication, now.
  [[nodiscard]] bool verifies(X509* leaf, STACK_OF(X509) * chain) const;
  // For the list of acceptable authorities in the TLS handshake.
  [[nodiscard]] const std::vector<std::shared_ptr<X509>>& certificates() const {
    return certificates_;
  }

 private:
  CaBundle() = default;
  std::shared_ptr<X509_STORE> store_;  // shared with nobody: shared_ptr for its deleter alone
  std::vector<std::shared_ptr<X509>> certificates_;
};

// The bundles that a client certificate is held against.
struct ClientTrust {
  std::optional<CaBundle> request_header_ca;
  std::optional<CaBundle> client_ca;
};

struct PeerFacts {
  std::optional<apiservice::PeerCertificate> certificate;  // nullopt: none was shown
  WallTime valid_until;  // the facts have to be asked again after it: a certificate of the chain
                         // expires then
};

// The facts of the connection's client certificate against `trust`, at this moment.
[[nodiscard]] PeerFacts peer_facts(SSL* connection, const ClientTrust& trust);

}  // namespace weir::server
