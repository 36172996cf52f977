// The ConfigMap kube-system/extension-apiserver-authentication: the client CA and the front proxy
// of the cluster. Pure.
#pragma once

#include "apiservice/auth/identity.hpp"
#include "server/tls/peer.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weir::server::cluster {

inline constexpr const char* kConfigMapNamespace = "kube-system";
inline constexpr const char* kConfigMapName = "extension-apiserver-authentication";

// A bundle with its PEM text, for detecting changes.
struct NamedBundle {
  std::string pem;
  CaBundle bundle;
};

struct FrontProxyTrust {
  NamedBundle ca;
  apiservice::FrontProxyRules rules;
};

// The contents of the ConfigMap. Its two parts are independent: an invalid part does not affect the
// other.
struct AuthenticationConfig {
  std::optional<NamedBundle> client_ca;
  std::optional<FrontProxyTrust> front_proxy;
  // Why a part that is present is not valid; empty without a problem.
  std::string problem;
};

// `data` is that of the ConfigMap. A part that is absent, empty or not valid is nullopt.
[[nodiscard]] AuthenticationConfig parse_authentication_config(
    const std::map<std::string, std::string>& data);

}  // namespace weir::server::cluster
