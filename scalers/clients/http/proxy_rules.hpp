// Which requests go through a proxy, by the environment variables that Go programs such as
// prometheus-adapter and kubectl follow (golang.org/x/net/http/httpproxy), and by the setting
// `proxy` of a backend. The environment is a value. Pure.
#pragma once

#include "scalers/clients/http/no_proxy_list.hpp"
#include "scalers/clients/http/proxy.hpp"
#include "scalers/settings/url.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::scalers::clients {

// A variable as the environment spells it; without a value: not set.
struct ProxyVariable {
  std::string name;
  std::string value;
};

// The upper-case spelling of each comes before the lower-case one.
struct ProxyVariables {
  ProxyVariable http;      // HTTP_PROXY: for http urls
  ProxyVariable https;     // HTTPS_PROXY: for https urls
  ProxyVariable no_proxy;  // NO_PROXY
  bool is_cgi = false;     // REQUEST_METHOD is set: the sender of a request may have set HTTP_PROXY
};

struct ProxyChoice {
  std::shared_ptr<const Proxy> proxy;  // null: a direct connection
  std::string reason;  // "HTTPS_PROXY", ".svc in NO_PROXY"; empty: nothing names a proxy

  // "http://proxy:3128 (HTTPS_PROXY)" or "none (.svc in NO_PROXY)"; empty: nothing names a proxy.
  [[nodiscard]] std::string text() const;
};

class ProxyRules {
 public:
  // No proxy at all.
  ProxyRules() = default;
  explicit ProxyRules(const ProxyVariables& variables);

  // By the environment alone. Direct to localhost, loopback addresses, and the addresses from which
  // a cloud hands out credentials.
  [[nodiscard]] ProxyChoice choose(const Url& url) const;
  // Of a backend. Its own proxy serves loopback addresses too, because somebody named it for them.
  [[nodiscard]] ProxyChoice choose(const ProxySetting& setting, const Url& url) const;

  // The environment's proxies, for the log: "HTTPS_PROXY http://***@proxy:3128"; empty: none.
  [[nodiscard]] std::string text() const;
  // The variables that are ignored because of their value, each with the reason.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Source {
    std::string variable;
    std::shared_ptr<const Proxy> proxy = nullptr;  // null: none; shared with the requests
  };
  Source read(const ProxyVariable& variable);

  std::vector<std::string> problems_;  // before the sources, whose problems it has
  Source http_;
  Source https_;
  std::string exceptions_variable_;
  NoProxyList exceptions_;
};

}  // namespace weir::scalers::clients
