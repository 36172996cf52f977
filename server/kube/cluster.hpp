// The cluster's part of `weir serve`: whom its ConfigMap trusts, what its kube-apiserver says of
// tokens and of access. Owned by the App; loop thread only.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/commands/options.hpp"
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

// What the cluster's ConfigMap changes.
struct Trusted {
  ClientTrust& trust;
  apiservice::FrontProxyRules& rules;
  Health& health;                   // gets the check authentication-config
  std::function<void()> on_change;  // behind each change of `trust`
};

class Cluster {
 public:
  // Everything but the options outlives the cluster. Throws std::runtime_error that says which flag
  // to set when there is neither a kubeconfig nor a service account.
  Cluster(Loop& loop,
          scalers::Clients& clients,
          const Clock& clock,
          const ServeOptions& options,
          Trusted trusted);

  [[nodiscard]] apiservice::TokenAuthenticator& tokens() { return tokens_; }
  [[nodiscard]] apiservice::Authorizer& access() { return access_; }
  // Begins to follow the ConfigMap, unless the flags say all that it could.
  void start();
  // Ends what waits, so that the loop can run out of work.
  void close();

 private:
  void take(const ConfigMapData& data);
  void take_none();
  // Logs why something is not taken over, once until it changes.
  void note_kept(const std::string& why);

  Trusted trusted_;
  bool takes_client_ca_;    // no flag gives it
  bool takes_front_proxy_;  // no flag gives it
  bool is_lookup_needed_;   // before /readyz is well
  std::string client_ca_pem_;
  std::string front_proxy_ca_pem_;
  std::string kept_because_;
  KubeClient authentication_;
  KubeClient authorization_;
  TokenReviews tokens_;
  AccessReviews access_;
  std::shared_ptr<TrustWatch> watch_;  // also owned by its own coroutine; null: nothing to follow
};

}  // namespace weir::server::cluster
