// The TLS of outgoing streams: what a server is verified with and what is shown to it, made into
// OpenSSL's contexts. TLS 1.2 at least, with forward secrecy. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/tls_files.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace weir::scalers::clients {

// Shared by every connection that was made with it.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// TLS material that stands in no file, as PEM text; each part that is set takes the place of the
// file of the same name in TlsFiles.
struct TlsPems {
  std::string ca;
  std::string certificate;
  Secret key;

  friend bool operator==(const TlsPems& a, const TlsPems& b) {
    return a.ca == b.ca && a.certificate == b.certificate && a.key.reveal() == b.key.reveal();
  }
};

// Errc::tls when a part cannot be read or does not go with the others.
[[nodiscard]] Result<TlsContext> make_tls_context(const TlsFiles& files, const TlsPems& pems = {});

// Contexts that are made again when one of their files has changed, which is looked at once a
// second. Without a CA of their own they verify with the system's roots.
class TlsContexts {
 public:
  // Errc::tls as make_tls_context; a failure is not kept.
  [[nodiscard]] Result<TlsContext> of(const TlsFiles& files, const TlsPems& pems, SteadyTime now);

 private:
  struct Kept {
    TlsFiles files;
    TlsPems pems;
    std::string stamp;  // changes when a file does
    SteadyTime looked_at{};
    TlsContext context;
  };

  std::vector<Kept> kept_;
};

}  // namespace weir::scalers::clients
