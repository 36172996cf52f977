// The composition root of `weir serve`: owns every part, in build order, and runs them until a
// signal.
#pragma once

#include "apiservice/api_server.hpp"
#include "apiservice/auth/access.hpp"
#include "apiservice/groups/external.hpp"
#include "scalers/clients/clients.hpp"
#include "scalers/read/world.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"
#include "server/commands/serve/options.hpp"
#include "server/config/backend_watch.hpp"
#include "server/config/reload.hpp"
#include "server/http/health.hpp"
#include "server/http/health_port.hpp"
#include "server/http/listener.hpp"
#include "server/http/session.hpp"
#include "server/kube/cluster.hpp"
#include "server/telemetry/loop_lag.hpp"
#include "server/telemetry/telemetry.hpp"
#include "server/tls/peer.hpp"
#include "server/tls/serving.hpp"

#include <boost/asio/basic_signal_set.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::server {

class App {
 public:
  // All but the last two outlive the app, `telemetry` the loop's sessions too. Throws
  // std::runtime_error that says what to do when a file, a certificate or the address cannot be
  // used.
  App(Loop& loop,
      scalers::Clients& clients,
      const Clock& clock,
      Telemetry& telemetry,
      LoadedWorld loaded,
      const ServeOptions& options);

  // Serves until SIGTERM or SIGINT, and for --shutdown-delay-duration with a red /readyz; then
  // drains: no new connection, answers under way are finished.
  // A second signal ends what is left at once.
  void run();

 private:
  [[nodiscard]] std::unique_ptr<scalers::World> build(const std::vector<scalers::Node>& documents,
                                                      const std::vector<scalers::Node>& skipped,
                                                      scalers::Problems& problems);
  void take(std::unique_ptr<scalers::World> world);
  // Every API group, with the resources of the configuration in force.
  [[nodiscard]] std::vector<apiservice::ApiGroup> groups();
  // Watches the loop, the TLS files and the configuration, of which `loaded` is in use.
  void start_watches(LoadedWorld loaded);
  // The serving pairs and the CA bundles of the flags, read again if a file has changed.
  void reload_tls();
  [[nodiscard]] std::string telemetry_page();
  // Once a second, so much later than it was due.
  void tick(std::chrono::duration<double> late);
  awaitable<void> wait_for_signals();
  awaitable<void> end_at_next_signal();
  // Until every session is closed, within bounds.
  awaitable<void> drain();
  void end_all();
  [[nodiscard]] std::unique_ptr<cluster::Cluster> make_cluster(const ServeOptions& options);

  Loop& loop_;
  scalers::Clients& clients_;
  const Clock& clock_;
  Telemetry& telemetry_;
  CurrentWorld world_;
  ServeOptions options_;
  ClientTrust trust_;
  ServingTls tls_;
  std::string tls_digest_;              // of the files that were reloaded last; empty: load again
  std::optional<FileWatch> tls_watch_;  // until the drain
  apiservice::StandaloneAuthorizer standalone_;
  Health health_;
  apiservice::FrontProxyRules rules_;
  std::unique_ptr<cluster::Cluster> cluster_;  // null with --standalone
  apiservice::ExternalMetrics external_;
  apiservice::ApiServer api_;
  std::shared_ptr<SessionRegistry> registry_;
  Listener listener_;
  std::optional<HealthPort> health_port_;  // with --healthz-port
  std::optional<Reload> reload_;           // until the drain
  std::optional<LoopLag> lag_;             // until the drain
  BackendWatch backend_watch_;
  boost::asio::basic_signal_set<Executor> signals_;
  scalers::Signal stop_at_once_;  // a second signal came
  int page_ticks_ =
      0;  // until what a large page of telemetry took is given back; 0: nothing is due
  bool is_drained_ = false;
};

}  // namespace weir::server
