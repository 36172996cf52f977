// The circuit breaker of the HTTP client: requests to hosts that accept no connection, and with
// credentials that were rejected, get the cached failure instead of being sent. Pure; loop thread
// only.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/breaker.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/lru.hpp"

#include <map>
#include <optional>
#include <string>

namespace weir::scalers::clients {

class HttpCircuitBreaker {
 public:
  HttpCircuitBreaker();

  // What a request has proved about its host.
  enum class HostState {
    unknown,      // nothing: its name did not resolve, or there was no time to connect
    unreachable,  // a connect timed out
    reachable,    // it accepted the connection, or refused it at once
  };

  // The outcome to return instead of sending `request` at `now`; nullopt: send it. After a connect
  // timeout requests to the host get that error for 2 s; after a 401 requests with the same
  // credentials get the server's 401 again, for 30 s or until the credentials change. Of 1,000
  // rejected logins the least recently used one of the origin with the most of them is forgotten.
  [[nodiscard]] std::optional<Result<HttpReply>> cached_failure(const HttpRequest& request,
                                                                SteadyTime now);
  // True from such a failure until the next request that succeeds.
  [[nodiscard]] bool is_open_for(const HttpRequest& request);
  // Records the outcome of a request.
  void note(const HttpRequest& request,
            const Result<HttpReply>& outcome,
            HostState host,
            SteadyTime now);

 private:
  struct Rejection {
    HttpReply reply;
    SteadyTime valid_until;
  };

  // At most once a second, because it looks at all logins.
  void drop_expired(SteadyTime now);

  std::map<std::string, Breaker> unreachable_;  // by origin
  Lru<Rejection> rejected_;                     // by backend and credentials, apart by origin
  SteadyTime next_drop_{};
};

}  // namespace weir::scalers::clients
