// What the HTTP client remembers of servers that failed, so that not every request runs into the
// same wall: hosts that accept no connection, and logins that were refused. Pure; loop thread only.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/breaker.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace weir::scalers::clients {

class HttpGuard {
 public:
  // What a request came to know of its host.
  enum class Reach {
    untold,     // nothing: its name was looked up in vain, or it had no time to connect
    silent,     // it accepts no connection
    connected,  // it does, or refuses one at once
  };

  // The outcome that stands for a request at `now`; nullopt: send it. A request to a host that let
  // a connect run out gets that error for 2 s at a time; one with credentials that were refused
  // gets the server's 401 again, for 30 s or until the credentials are others.
  [[nodiscard]] std::optional<Result<HttpReply>> stand_in(const HttpRequest& request,
                                                          SteadyTime now);
  // True between such an outcome and the next request that gets through.
  [[nodiscard]] bool is_open_for(const HttpRequest& request) const;
  // Learns from the outcome of a request.
  void note(const HttpRequest& request,
            const Result<HttpReply>& outcome,
            Reach reach,
            SteadyTime now);

 private:
  struct Refusal {
    HttpReply reply;
    SteadyTime until;
  };

  void forget_old(SteadyTime now);

  std::map<std::string, Breaker> unconnected_;  // by origin
  std::map<std::string, Refusal> refused_;      // by backend and credentials
};

}  // namespace weir::scalers::clients
