// The serving certificates in force: the default pair, further pairs that a client picks by name
// (SNI), and their replacement when the files change. Handshakes under way end with the pairs they
// began with. Loop thread only.
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

// A pair for the names it is given, or for those in its certificate when it is given none.
struct NamedPair {
  KeyPair pair;
  std::vector<std::string> names;  // "a.example" or "*.example"
};

struct ServingPairs {
  KeyPair main;
  std::vector<NamedPair> named;
};

// One state of the certificates. A session owns a share: its handshake reads them.
class ServingContexts {
 public:
  // Throws std::runtime_error with the file and the reason when a pair cannot be used.
  ServingContexts(const ServingPairs& pairs, const TlsSettings& settings, const ClientTrust& trust);
  ServingContexts(const ServingContexts&) = delete;
  ServingContexts& operator=(const ServingContexts&) = delete;
  ~ServingContexts() = default;

  // Of the default pair; its handshake switches to the pair that the client names.
  [[nodiscard]] boost::asio::ssl::context& main() { return main_; }
  // The context for a server name, or nullptr when no further pair has it.
  [[nodiscard]] SSL_CTX* find(std::string_view name);
  void offer(const ClientTrust& trust);

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
  // Reads the files again. What cannot be used leaves the pairs in force as they are: why, or
  // nullopt.
  [[nodiscard]] std::optional<std::string> reload();
  // Names the authorities of the trust, as it is now, to clients of later handshakes.
  void offer_authorities() { contexts_->offer(trust_); }

 private:
  ServingPairs pairs_;
  TlsSettings settings_;
  const ClientTrust& trust_;
  std::shared_ptr<ServingContexts> contexts_;  // also owned by the sessions that use it
};

}  // namespace weir::server
