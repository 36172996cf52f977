// The ConfigMap kube-system/extension-apiserver-authentication: what the cluster says of client
// certificates and of its front proxy. Pure.
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

// A bundle with the text that it was made of, so that an unchanged one is told.
struct NamedBundle {
  std::string pem;
  CaBundle bundle;
};

struct FrontProxyTrust {
  NamedBundle ca;
  apiservice::FrontProxyRules rules;
};

// What the ConfigMap holds; each half stands by itself, so that one that is broken spares the
// other.
struct AuthenticationConfig {
  std::optional<NamedBundle> client_ca;
  std::optional<FrontProxyTrust> front_proxy;
  // Why a half that is there cannot be used, in one text; empty when there is nothing to say.
  std::string problem;
};

// `data` is the ConfigMap's own. A half that is absent, empty or broken is nullopt.
[[nodiscard]] AuthenticationConfig parse_authentication_config(
    const std::map<std::string, std::string>& data);

}  // namespace weir::server::cluster
