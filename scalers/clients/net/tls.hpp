// TLS of outgoing streams: trusted CAs and client certificates as OpenSSL contexts. TLS 1.2 at
// least, with forward secrecy. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/tls_files.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace weir::scalers::clients {

// Shared by every connection that uses it.
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// TLS material as PEM text instead of files (inline data of a kubeconfig). Each part that is set
// replaces the file of the same name in TlsFiles.
struct TlsPems {
  std::string ca;
  std::string certificate;
  Secret key;

  friend bool operator==(const TlsPems& a, const TlsPems& b) {
    return a.ca == b.ca && a.certificate == b.certificate && a.key.reveal() == b.key.reveal();
  }
};

// Errc::tls when a part cannot be read or does not match the others. Callers of the API may see the
// error, so it does not name the file: `problem`, if any, gets the text that does, for the log.
[[nodiscard]] Result<TlsContext> make_tls_context(const TlsFiles& files,
                                                  const TlsPems& pems = {},
                                                  std::string* problem = nullptr);

// Makes `target`, the context of one connection that another library drives, verify and log in as
// `source` does: the certificate must be valid for `host`. False: OpenSSL has no memory.
[[nodiscard]] bool copy_tls_context(const TlsContext& source,
                                    const std::string& host,
                                    ssl_ctx_st* target);
// Whether a TLS connection has received bytes that nobody has read.
[[nodiscard]] bool has_unread_data(const ssl_st* connection);
// Whether the peer has said that it sends nothing more (RFC 8446, section 6.1).
[[nodiscard]] bool has_close_notify(const ssl_st* connection);
// Whether its handshake has chosen HTTP/2 (ALPN, RFC 7301).
[[nodiscard]] bool has_chosen_http2(const ssl_st* connection);

// A cache of contexts. A context is made again when one of its files has changed. When that fails,
// the last context stays in use. Without a CA it verifies with the system's roots.
class TlsContexts {
 public:
  // The context of the files as they are, for what happens seldom: a kept connection is opened for
  // a change of the files, which another user of the same files must not hide from it. Errc::tls as
  // make_tls_context, when no context was ever made of these; that is not cached.
  [[nodiscard]] Result<TlsContext> current(const TlsFiles& files,
                                           const TlsPems& pems,
                                           SteadyTime now);
  // The same as the files were within the last second, for each request: it sees a change at the
  // next one.
  [[nodiscard]] Result<TlsContext> of(const TlsFiles& files, const TlsPems& pems, SteadyTime now);
  // What is wrong with the files, with the path, for the log; empty: nothing. They may be wrong
  // while a context that was made of earlier ones is in use.
  [[nodiscard]] std::string problem_of(const TlsFiles& files);

 private:
  struct Entry {
    TlsFiles files;
    TlsPems pems;
    std::string fingerprint;  // changes when a file does
    SteadyTime checked_at{};
    TlsContext context;
  };
  // The entry, which becomes the last one; nullptr: there is none.
  [[nodiscard]] Entry* find(const TlsFiles& files, const TlsPems& pems);

  struct CheckedFiles {
    TlsFiles files;
    std::string fingerprint;
  };

  std::vector<Entry> entries_;              // the least recently used first, at most 64
  std::vector<CheckedFiles> checked_ = {};  // without a problem, at most 1,024
};

}  // namespace weir::scalers::clients
