// Applies the ConfigMap to the trust of the server. A part that is not valid keeps its last valid
// value.
#include "server/kube/cluster.hpp"

#include "server/kube/client/kubeconfig.hpp"
#include "server/logging/log.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace weir::server::cluster {
namespace {

constexpr const char* kCheck = "authentication-config";

// Authentication and authorization may use different accounts, as the flags of Kubernetes'
// aggregated API servers allow. A kubeconfig of their own takes precedence over --kubeconfig, and
// both over the service account of the pod.
ClusterAccess access_of(const std::string& own, const ServeOptions& options) {
  const std::string& path = own.empty() ? options.kubeconfig : own;
  if (!path.empty()) return read_kubeconfig(path);
  if (options.kubernetes_service_host.empty() || options.kubernetes_service_port.empty()) {
    throw std::runtime_error(
        "there is no kubeconfig and this process does not run in a pod (KUBERNETES_SERVICE_HOST "
        "and "
        "KUBERNETES_SERVICE_PORT are not set): set --kubeconfig, or --authentication-kubeconfig "
        "and --authorization-kubeconfig; or add --standalone, which uses no kube-apiserver and "
        "lets callers read metrics whom a client certificate or the front proxy authenticates");
  }
  return in_cluster_access(options.kubernetes_service_host,
                           options.kubernetes_service_port,
                           kServiceAccountFolder);
}

// Through a proxy that cannot reach the kube-apiserver all callers are refused, and one that can
// sees when HPAs are read.
void log_proxy(const KubeClient& client, const std::string& own, const ServeOptions& options) {
  if (!client.proxy().proxy) return;
  const std::string proxy = client.proxy().text();
  if (!own.empty() || !options.kubeconfig.empty())
    return log(Level::info, "kube_apiserver_proxied", {{"proxy", proxy}});
  log(Level::warn,
      "kube_apiserver_proxied",
      {{"proxy", proxy},
       {"reason",
        fmt::format("NO_PROXY does not contain KUBERNETES_SERVICE_HOST ({0}); add {0} to NO_PROXY",
                    options.kubernetes_service_host)}});
}

}  // namespace

Cluster::Cluster(Loop& loop,
                 scalers::Clients& clients,
                 const Clock& clock,
                 const ServeOptions& options,
                 Trusted trusted)
    : trusted_(std::move(trusted)),
      uses_cluster_client_ca_(options.client_ca_file.empty()),
      uses_cluster_front_proxy_(options.requestheader_client_ca_file.empty()),
      is_lookup_needed_(!options.tolerates_lookup_failure),
      authentication_(clients, access_of(options.authentication_kubeconfig, options)),
      authorization_(clients, access_of(options.authorization_kubeconfig, options)),
      tokens_(loop,
              authentication_,
              clock,
              {.audiences = options.api_audiences, .ttl = options.token_cache_ttl}),
      access_(loop,
              authorization_,
              clock,
              {.always_allowed_paths = options.always_allow_paths,
               .allowed_ttl = options.authorized_cache_ttl,
               .denied_ttl = options.unauthorized_cache_ttl}) {
  log_proxy(authentication_, options.authentication_kubeconfig, options);
  // The accounts usually have the same server, and one line is enough for it.
  if (authorization_.proxy().text() != authentication_.proxy().text())
    log_proxy(authorization_, options.authorization_kubeconfig, options);
  const bool needs_config_map = uses_cluster_client_ca_ || uses_cluster_front_proxy_;
  // An unused watch would fail, and log it, in a cluster whose Role for the ConfigMap is not bound.
  if (options.skips_lookup || !needs_config_map) return;
  watch_ = std::make_shared<TrustWatch>(
      loop,
      authentication_,
      clock,
      // Not called after close(), so that `this` stays valid in both.
      TrustEvents{.on_config = [this](const ConfigMapData& data) { apply_config(data); },
                  .on_missing = [this] { apply_missing(); }});
}

void Cluster::start() {
  if (!watch_) return;
  // The check exists before the first list, so that no traffic arrives while the CAs of the callers
  // are unknown.
  trusted_.health.report(kCheck, !is_lookup_needed_);
  watch_->start();
}

void Cluster::close() {
  tokens_.close();
  access_.close();
  if (watch_) watch_->close();
}

// Flags take precedence: a part that a flag sets is not read from the ConfigMap.
void Cluster::apply_config(const ConfigMapData& data) {
  trusted_.health.report(kCheck, true);
  AuthenticationConfig config = parse_authentication_config(data);
  // Compared as PEM, because every event of the watch has the whole ConfigMap.
  bool is_changed = false;
  if (uses_cluster_client_ca_ && config.client_ca && config.client_ca->pem != client_ca_pem_) {
    client_ca_pem_ = config.client_ca->pem;
    trusted_.trust.client_ca = std::move(config.client_ca->bundle);
    is_changed = true;
  }
  if (uses_cluster_front_proxy_ && config.front_proxy) {
    // Also with the same CA, because header names may change alone. The rules are read for each
    // request, so that they need no generation.
    trusted_.rules = std::move(config.front_proxy->rules);
    NamedBundle& ca = config.front_proxy->ca;
    if (ca.pem != front_proxy_ca_pem_) {
      front_proxy_ca_pem_ = ca.pem;
      trusted_.trust.request_header_ca = std::move(ca.bundle);
      is_changed = true;
    }
  }
  if (is_changed) {
    // Open connections verify their client certificates again when the generation differs.
    ++trusted_.trust.generation;
    trusted_.on_change();
    log(Level::info,
        "client_trust_changed",
        {{"client_ca", trusted_.trust.client_ca ? "yes" : "no"},
         {"front_proxy_ca", trusted_.trust.request_header_ca ? "yes" : "no"}});
  }
  log_rejected(config.problem);
}

// Without the ConfigMap the server is ready, because bearer tokens still work.
void Cluster::apply_missing() {
  trusted_.health.report(kCheck, true);
  log_rejected("the ConfigMap does not exist");
}

void Cluster::log_rejected(const std::string& reason) {
  // An empty reason resets the last one, so that the same problem is logged again after a recovery.
  if (reason == last_rejection_) return;
  last_rejection_ = reason;
  if (reason.empty()) return;
  log(Level::warn, "client_trust_rejected", {{"config_map", kConfigMapName}, {"reason", reason}});
}

}  // namespace weir::server::cluster
