// How requests for credentials are sent: as others of HTTP, through the proxy of the environment.
// Those to the agent or metadata server of the pod's own node have no proxy. Loop thread only.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/clients/http/proxy_rules.hpp"

#include <utility>

namespace weir::scalers::clients {

class TokenHttp {
 public:
  // Both outlive the requests.
  TokenHttp(HttpClient& http, const ProxyRules& proxies) : http_(http), proxies_(proxies) {}

  // As HttpClient::send().
  [[nodiscard]] awaitable<Result<HttpReply>> send(HttpRequest request, Deadline deadline) {
    request.proxy = proxies_.choose(request.url).proxy;
    return http_.send(std::move(request), deadline);
  }
  [[nodiscard]] awaitable<Result<HttpReply>> send_directly(HttpRequest request, Deadline deadline) {
    return http_.send(std::move(request), deadline);
  }

 private:
  HttpClient& http_;
  const ProxyRules& proxies_;
};

}  // namespace weir::scalers::clients
