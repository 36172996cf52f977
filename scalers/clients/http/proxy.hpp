// A forward proxy: how one is written, and the setting `proxy` of a backend. Which requests use it
// is decided by ProxyRules. Pure.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/secret.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::scalers::clients {

struct Proxy {
  std::string scheme;      // http, https or socks5, whose proxy looks up the names of servers
  std::string host;        // a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;  // always set
  std::optional<std::pair<Secret, Secret>> login = {};  // user and password; either may be empty

  // "proxy:3128", with brackets around an IPv6 address.
  [[nodiscard]] std::string authority() const;
  // "http://proxy:3128"; "http://***@proxy:3128" with a login. For the log and for people who may
  // see addresses, never for a Status.
  [[nodiscard]] std::string text() const;
};

struct InvalidProxy {
  std::string what;  // what is wrong and what to write instead; holds no part of the text
};

// A proxy as an environment variable or a kubeconfig has it: "http://USER:PASSWORD@HOST:PORT", with
// http as the scheme when there is none. The port is that of the scheme when there is none. A path
// is ignored, as Go ignores it.
[[nodiscard]] std::variant<Proxy, InvalidProxy> parse_proxy(std::string_view text);

// The setting `proxy` of a backend.
struct ProxySetting {
  enum class Use {
    environment,  // what the environment says
    none,         // never a proxy
    own,          // `proxy`, for every request of the backend
  };
  static constexpr std::string_view kTypeName = "url | none";

  Use use = Use::environment;
  // Set for `own` alone. Shared with the requests under way.
  std::shared_ptr<const Proxy> proxy = nullptr;
};

// The doc of the setting, which is the same for every kind.
inline constexpr std::string_view kProxyDoc =
    "url of a forward proxy, such as http://proxy:3128, or none; off: HTTP_PROXY, HTTPS_PROXY and "
    "NO_PROXY of the environment decide";

// Reads a url without a login, or none.
void read_value(const Node& node, ProxySetting& out, Problems& problems);

}  // namespace weir::scalers::clients
