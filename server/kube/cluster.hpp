// The part of `weir serve` that depends on a cluster: client trust from the ConfigMap, token and
// access reviews by the kube-apiserver. Owned by the App; loop thread only.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/commands/serve/options.hpp"
#include "server/http/health.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/reviews/access_reviews.hpp"
#include "server/kube/reviews/token_reviews.hpp"
#include "server/kube/trust/authentication_config.hpp"
#include "server/kube/trust/trust_watch.hpp"
#include "server/tls/peer.hpp"

#include <functional>
#include <memory>
#include <string>

namespace weir::server::cluster {

// The state that the ConfigMap changes.
struct Trusted {
  ClientTrust& trust;
  apiservice::FrontProxyRules& rules;
  Health& health;                   // has the check authentication-config
  std::function<void()> on_change;  // called after each change of `trust`
};

class Cluster {
 public:
  // All arguments except the options outlive the cluster. Throws std::runtime_error with the flag
  // to set when there is neither a kubeconfig nor a service account.
  Cluster(Loop& loop,
          scalers::Clients& clients,
          const Clock& clock,
          const ServeOptions& options,
          Trusted trusted);

  [[nodiscard]] apiservice::TokenAuthenticator& tokens() { return tokens_; }
  [[nodiscard]] apiservice::Authorizer& access() { return access_; }
  // Starts to watch the ConfigMap, unless the flags set everything that it contains.
  void start();
  // Ends all waiting operations, so that the loop can run out of work.
  void close();

 private:
  void apply_config(const ConfigMapData& data);
  void apply_missing();
  // Logs why a part of the ConfigMap is not applied; once for each reason.
  void log_rejected(const std::string& reason);

  Trusted trusted_;
  bool uses_cluster_client_ca_;    // no flag sets it
  bool uses_cluster_front_proxy_;  // no flag sets it
  bool is_lookup_needed_;          // before /readyz succeeds
  std::string client_ca_pem_;
  std::string front_proxy_ca_pem_;
  std::string last_rejection_;
  KubeClient authentication_;
  KubeClient authorization_;
  TokenReviews tokens_;
  AccessReviews access_;
  std::shared_ptr<TrustWatch> watch_;  // second owner: its own coroutine; null: no watch
};

}  // namespace weir::server::cluster
