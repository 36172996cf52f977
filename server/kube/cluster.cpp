#include "server/kube/cluster.hpp"

#include "server/kube/client/kubeconfig.hpp"
#include "server/logging/log.hpp"

#include <stdexcept>
#include <utility>

namespace weir::server::cluster {
namespace {

constexpr const char* kCheck = "authentication-config";

ClusterAccess access_of(const std::string& own, const ServeOptions& options) {
  const std::string& path = own.empty() ? options.kubeconfig : own;
  if (!path.empty()) return read_kubeconfig(path);
  if (options.kubernetes_service_host.empty() || options.kubernetes_service_port.empty()) {
    throw std::runtime_error(
        "no kubeconfig is given and this is no pod of a cluster (KUBERNETES_SERVICE_HOST and "
        "KUBERNETES_SERVICE_PORT are not set): give --kubeconfig, or --authentication-kubeconfig "
        "and --authorization-kubeconfig, or add --standalone, which asks no kube-apiserver and "
        "lets callers read whom a client certificate or the front proxy proves");
  }
  return in_cluster_access(options.kubernetes_service_host,
                           options.kubernetes_service_port,
                           kServiceAccountFolder);
}

}  // namespace

Cluster::Cluster(Loop& loop,
                 scalers::Clients& clients,
                 const Clock& clock,
                 const ServeOptions& options,
                 Trusted trusted)
    : trusted_(std::move(trusted)),
      takes_client_ca_(options.client_ca_file.empty()),
      takes_front_proxy_(options.requestheader_client_ca_file.empty()),
      is_lookup_needed_(!options.tolerates_lookup_failure),
      authentication_(clients.http(), access_of(options.authentication_kubeconfig, options)),
      authorization_(clients.http(), access_of(options.authorization_kubeconfig, options)),
      tokens_(loop,
              authentication_,
              clock,
              {.audiences = options.api_audiences, .kept_for = options.token_cache_ttl}),
      access_(loop,
              authorization_,
              clock,
              {.always_allowed_paths = options.always_allow_paths,
               .allowed_kept_for = options.authorized_cache_ttl,
               .denied_kept_for = options.unauthorized_cache_ttl}) {
  const bool has_something_to_take = takes_client_ca_ || takes_front_proxy_;
  if (options.skips_lookup || !has_something_to_take) return;
  watch_ = std::make_shared<TrustWatch>(
      loop,
      authentication_,
      clock,
      TrustEvents{.on_config = [this](const ConfigMapData& data) { take(data); },
                  .on_missing = [this] { take_none(); }});
}

void Cluster::start() {
  if (!watch_) return;
  trusted_.health.report(kCheck, !is_lookup_needed_);
  watch_->start();
}

void Cluster::close() {
  tokens_.close();
  access_.close();
  if (watch_) watch_->close();
}

void Cluster::take(const ConfigMapData& data) {
  trusted_.health.report(kCheck, true);
  AuthenticationConfig config = parse_authentication_config(data);
  bool is_changed = false;
  if (takes_client_ca_ && config.client_ca && config.client_ca->pem != client_ca_pem_) {
    client_ca_pem_ = config.client_ca->pem;
    trusted_.trust.client_ca = std::move(config.client_ca->bundle);
    is_changed = true;
  }
  if (takes_front_proxy_ && config.front_proxy) {
    trusted_.rules = std::move(config.front_proxy->rules);
    NamedBundle& ca = config.front_proxy->ca;
    if (ca.pem != front_proxy_ca_pem_) {
      front_proxy_ca_pem_ = ca.pem;
      trusted_.trust.request_header_ca = std::move(ca.bundle);
      is_changed = true;
    }
  }
  if (is_changed) {
    ++trusted_.trust.generation;
    trusted_.on_change();
    log(Level::info,
        "client_trust_changed",
        {{"client_ca", trusted_.trust.client_ca ? "yes" : "no"},
         {"front_proxy_ca", trusted_.trust.request_header_ca ? "yes" : "no"}});
  }
  note_kept(config.problem);
}

void Cluster::take_none() {
  trusted_.health.report(kCheck, true);
  note_kept("there is no such ConfigMap");
}

void Cluster::note_kept(const std::string& why) {
  if (why == kept_because_) return;
  kept_because_ = why;
  if (why.empty()) return;
  log(Level::warn, "client_trust_kept", {{"config_map", kConfigMapName}, {"reason", why}});
}

}  // namespace weir::server::cluster
