// What a client certificate proves: PEM bundles of CAs, and the facts of a peer's certificate
// verified against them. Loop thread only after startup.
#pragma once

#include "apiservice/request/http.hpp"
#include "scalers/deadline.hpp"

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weir::server {

// CA certificates from a PEM file. Invariant: it has at least one certificate.
class CaBundle {
 public:
  struct Invalid {
    std::string why;
  };
  [[nodiscard]] static std::variant<CaBundle, Invalid> load(const std::string& path);
  // The same from the text itself.
  [[nodiscard]] static std::variant<CaBundle, Invalid> parse(std::string_view pem);

  // Whether `leaf`, with the intermediates of the peer, has a valid chain to a certificate of the
  // bundle for client authentication, now.
  [[nodiscard]] bool verifies(X509* leaf, STACK_OF(X509) * chain) const;
  // For the list of acceptable authorities in the TLS handshake.
  [[nodiscard]] const std::vector<std::shared_ptr<X509>>& certificates() const {
    return certificates_;
  }

 private:
  CaBundle() = default;
  [[nodiscard]] static std::variant<CaBundle, Invalid> read(BIO* pem);

  std::shared_ptr<X509_STORE> store_;  // not shared; a shared_ptr because of its deleter
  std::vector<std::shared_ptr<X509>> certificates_;
};

// The CA bundles that client certificates are verified against.
struct ClientTrust {
  std::optional<CaBundle> request_header_ca;
  std::optional<CaBundle> client_ca;
  std::uint64_t generation = 0;  // incremented at each change, so that older facts are recomputed
};

struct PeerFacts {
  std::optional<apiservice::PeerCertificate> certificate;  // nullopt: the peer sent none
  WallTime valid_until;  // the facts have to be recomputed after it, because a certificate of the
                         // chain expires then
  std::uint64_t generation = 0;  // of the trust that they were computed from
};

// The facts of the connection's client certificate, verified against `trust` now.
[[nodiscard]] PeerFacts peer_facts(SSL* connection, const ClientTrust& trust);

}  // namespace weir::server
