// How a backend with `auth` proves who it is: by a bearer token, or by a signature for each
// request. Backends with equal settings share one, also before and after a reload. Loop thread
// only.
#pragma once

#include "scalers/clients/net/counts.hpp"
#include "scalers/clients/tokens/provider.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/clients/tokens/token_http.hpp"
#include "scalers/clients/tokens/token_source.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::clients {

// Whether a refusal with HTTP `status` and the server's `words` is about the token itself.
[[nodiscard]] bool is_token_refused(long status, const std::string& words);

class Login {
 public:
  // `settings` are complete (complete_auth). `loop` and `clock` outlive the login and its fetches.
  Login(Loop& loop, TokenHttp http, const Clock& clock, const AuthSettings& settings);
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;
  ~Login() = default;

  // What the next request is sent with, never null. Errors as TokenSource::get(), and
  // Errc::refused without an identity. `self` keeps the login until the end.
  [[nodiscard]] static awaitable<Result<GrantPtr>> get(std::shared_ptr<Login> self,
                                                       Deadline deadline);
  // Adds the proof to `request`, which is complete otherwise: a signature covers all of it.
  void prove(const Grant& grant, HttpRequest& request) const;
  // `error`, which `reply` to a request with `grant` has, with what Weir knows about it: a wrong
  // clock. A token that is refused is renewed; a 403 refuses one only when
  // it says so, because most are about what one tenant may do.
  [[nodiscard]] Error explain(const GrantPtr& grant, const HttpReply& reply, Error error);
  // Adds the end of the last credentials, and a login that fails, to what a backend reports of its
  // connections, also while its last credentials still serve.
  void report(ConnectionCounts& counts) const;
  // Of the last grant, for redactions.
  [[nodiscard]] std::vector<std::string> secrets() const;
  // key_of() its settings.
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  void sign(const Grant& grant, HttpRequest& request) const;

  const Clock& clock_;
  std::string key_;
  std::string missing_;  // why there are no credentials; empty: there may be some
  bool is_signing_;      // AWS; else a bearer token is sent
  std::string region_;   // of a signature
  std::string service_;
  std::shared_ptr<TokenSource> source_;  // also owned by its fetches; null when `missing_` is set
};

}  // namespace weir::scalers::clients
