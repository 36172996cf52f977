// The clients that backends share, and the factory of those that belong to one server. Owned by the
// App and never replaced by a reload, because resolved names and open connections live here. Loop
// thread only.
#pragma once

#include "scalers/clients/client.hpp"
#include "scalers/clients/http/proxy_rules.hpp"
#include "scalers/clients/tokens/variables.hpp"
#include "scalers/deadline.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::scalers {

namespace clients {
class AmqpClient;
class HttpClient;
class Login;
class RedisServers;
class Resolver;
class TlsContexts;
struct AmqpTarget;
struct AuthSettings;
struct ClusterTarget;
struct RedisTarget;
struct SentinelTarget;
}  // namespace clients

class Clients {
 public:
  // `identity`: of the pod's environment, for the logins of backends. `proxies`: for HTTP alone;
  // AMQP and Redis connect directly.
  explicit Clients(Loop& loop, IdentityVariables identity = {}, clients::ProxyRules proxies = {});
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  ~Clients();

  [[nodiscard]] clients::HttpClient& http() { return *http_; }
  [[nodiscard]] const clients::ProxyRules& proxies() const { return proxies_; }
  // The client of `target`. Backends with equal targets share it, so that a reload keeps the
  // connections of every backend that it does not change.
  [[nodiscard]] std::shared_ptr<clients::AmqpClient> make_amqp(const clients::AmqpTarget& target);
  // One server, the master that Sentinels name, or a cluster.
  [[nodiscard]] std::shared_ptr<clients::RedisServers> make_redis(
      const clients::RedisTarget& target);
  [[nodiscard]] std::shared_ptr<clients::RedisServers> make_redis(
      const clients::SentinelTarget& target);
  [[nodiscard]] std::shared_ptr<clients::RedisServers> make_redis(
      const clients::ClusterTarget& target);
  // The login of complete settings. Backends with equal ones share it, so that a reload keeps its
  // token.
  [[nodiscard]] std::shared_ptr<clients::Login> make_login(const clients::AuthSettings& settings);
  [[nodiscard]] const IdentityVariables& identity() const { return identity_; }
  // Reads the credential files of kept connections again, and logs in with changed ones. To be
  // called about once a second; HTTP requests read their files each time.
  void check_credentials(SteadyTime now);
  // What is wrong with these files, with their paths, for the log; empty: nothing.
  [[nodiscard]] std::string problem_of(const std::vector<LocalFile>& files);
  // Ends everything in flight: each waiting read gets Errc::unreachable, so that the loop runs out
  // of work.
  void close();

 private:
  template <class ClientOf, class Target>
  std::shared_ptr<ClientOf> shared(const Target& target);

  Loop& loop_;
  const Clock clock_;
  IdentityVariables identity_;
  clients::ProxyRules proxies_;
  std::unique_ptr<clients::Resolver> resolver_;
  std::shared_ptr<clients::TlsContexts> contexts_;  // also owned by the connections
  std::unique_ptr<clients::HttpClient> http_;
  std::vector<std::weak_ptr<Client>> clients_;         // owned by their backends
  std::vector<std::weak_ptr<clients::Login>> logins_;  // owned by their backends
};

}  // namespace weir::scalers
