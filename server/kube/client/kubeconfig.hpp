// The address of the kube-apiserver and the credentials for it, from a kubeconfig or from the
// service account of the pod. Read once at startup; the files that it names are read at each use.
#pragma once

#include "scalers/clients/http/client.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"

#include <memory>
#include <string>

namespace weir::server::cluster {

struct ClusterAccess {
  scalers::Url server;
  scalers::TlsFiles tls;
  scalers::clients::TlsPems pems;
  // Of proxy-url; null: the environment decides. Shared with the requests under way.
  std::shared_ptr<const scalers::clients::Proxy> proxy;
  scalers::SecretFile token_file;  // takes precedence over `token`
  scalers::Secret token;           // empty: none
};

inline constexpr const char* kServiceAccountFolder =
    "/var/run/secrets/kubernetes.io/serviceaccount";

// The current context of the file at `path`. Throws std::runtime_error with what to change when
// it cannot be used. Features that Weir does not support (exec plugins, skipped verification,
// passwords) are refused, never ignored.
[[nodiscard]] ClusterAccess read_kubeconfig(const std::string& path);

// The access of the service account whose `token` and `ca.crt` are in `folder`; `host` and `port`
// are those of the environment. Throws std::runtime_error when they cannot be used.
[[nodiscard]] ClusterAccess in_cluster_access(const std::string& host,
                                              const std::string& port,
                                              const std::string& folder);

}  // namespace weir::server::cluster
