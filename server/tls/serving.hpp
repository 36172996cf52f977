// The serving certificates in use: the default pair, additional pairs selected by server name
// (SNI), and their replacement when the files change. Handshakes in flight finish with the pair
// they began with. Loop thread only.
#pragma once

#include "server/tls/context.hpp"
#include "server/tls/peer.hpp"

#include <boost/asio/ssl/context.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

// A pair for the names it is configured for, or for the names in its certificate without any.
struct NamedPair {
  KeyPair pair;
  std::vector<std::string> names;  // "a.example" or "*.example"
};

struct ServingPairs {
  KeyPair main;
  std::vector<NamedPair> named;
};

// One version of the certificates, never changed except for the client CA names. Sessions share it,
// because a handshake reads the certificates.
class ServingContexts {
 public:
  // Throws std::runtime_error with the file and the reason when a pair cannot be used.
  ServingContexts(const ServingPairs& pairs, const TlsSettings& settings, const ClientTrust& trust);
  ServingContexts(const ServingContexts&) = delete;
  ServingContexts& operator=(const ServingContexts&) = delete;
  ~ServingContexts() = default;

  // The context of the default pair. Its handshake switches to the pair of the client's server
  // name.
  [[nodiscard]] boost::asio::ssl::context& main() { return main_; }
  // The context for a server name; nullptr when no additional pair has that name.
  [[nodiscard]] SSL_CTX* find(std::string_view name);
  void set_client_ca_names(const ClientTrust& trust);

 private:
  struct Named {
    boost::asio::ssl::context context;
    std::vector<std::string> names;
  };
  boost::asio::ssl::context main_;
  std::list<Named> named_;
};

class ServingTls {
 public:
  // `trust` outlives it. Throws as ServingContexts.
  ServingTls(ServingPairs pairs, TlsSettings settings, const ClientTrust& trust)
      : pairs_(std::move(pairs)),
        settings_(std::move(settings)),
        trust_(trust),
        contexts_(std::make_shared<ServingContexts>(pairs_, settings_, trust_)) {}

  [[nodiscard]] std::shared_ptr<ServingContexts> contexts() const { return contexts_; }
  // Every file of the pairs.
  [[nodiscard]] std::vector<std::string> files() const;
  // Reads the files again; nullopt on success. With an error, which is returned, the pairs in use
  // stay as they are.
  [[nodiscard]] std::optional<std::string> reload();
  // Sends the current CA names of `trust` to the clients of later handshakes.
  void set_client_ca_names() { contexts_->set_client_ca_names(trust_); }

 private:
  ServingPairs pairs_;
  TlsSettings settings_;
  const ClientTrust& trust_;
  std::shared_ptr<ServingContexts> contexts_;  // second owners: the sessions that use it
};

}  // namespace weir::server
