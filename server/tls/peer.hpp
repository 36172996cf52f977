// What a client certificate proves: PEM bundles of CAs, and the facts of a peer's certificate
// verified against them. Loop thread only, after the start.
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

// CA certificates from a PEM file.
class CaBundle {
 public:
  struct Invalid {
    std::string why;
  };
  [[nodiscard]] static std::variant<CaBundle, Invalid> load(const std::string& path);
  // The same from the text itself.
  [[nodiscard]] static std::variant<CaBundle, Invalid> parse(std::string_view pem);

  // Whether `leaf`, with the peer's own intermediates, leads to one of the bundle's certificates
  // for client authentication, now.
  [[nodiscard]] bool verifies(X509* leaf, STACK_OF(X509) * chain) const;
  // For the list of acceptable authorities in the TLS handshake.
  [[nodiscard]] const std::vector<std::shared_ptr<X509>>& certificates() const {
    return certificates_;
  }

 private:
  CaBundle() = default;
  [[nodiscard]] static std::variant<CaBundle, Invalid> read(BIO* pem);

  std::shared_ptr<X509_STORE> store_;  // shared with nobody: shared_ptr for its deleter alone
  std::vector<std::shared_ptr<X509>> certificates_;
};

// The bundles that a client certificate is held against.
struct ClientTrust {
  std::optional<CaBundle> request_header_ca;
  std::optional<CaBundle> client_ca;
  std::uint64_t generation = 0;  // counts its changes: facts of an older one are asked again
};

struct PeerFacts {
  std::optional<apiservice::PeerCertificate> certificate;  // nullopt: none was shown
  WallTime valid_until;  // the facts have to be asked again after it: a certificate of the chain
                         // expires then
  std::uint64_t generation = 0;  // of the trust that they were asked of
};

// The facts of the connection's client certificate against `trust`, at this moment.
[[nodiscard]] PeerFacts peer_facts(SSL* connection, const ClientTrust& trust);

}  // namespace weir::server
