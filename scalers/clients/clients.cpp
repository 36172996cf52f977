// Sharing by target happens here and not in the backends, because two backends do not know each
// other.
#include "scalers/clients/clients.hpp"

#include "scalers/clients/amqp/client.hpp"
#include "scalers/clients/http/client.hpp"
#include "scalers/clients/net/resolver.hpp"
#include "scalers/clients/net/tls.hpp"
#include "scalers/clients/redis/client.hpp"
#include "scalers/clients/redis/cluster.hpp"
#include "scalers/clients/redis/sentinel.hpp"
#include "scalers/clients/tokens/assertion.hpp"
#include "scalers/clients/tokens/login.hpp"
#include "scalers/clients/tokens/settings.hpp"
#include "scalers/settings/secret.hpp"
#include "scalers/settings/server_url.hpp"
#include "scalers/settings/tls_files.hpp"
#include "scalers/settings/url.hpp"

#include <utility>

namespace weir::scalers {

Clients::Clients(Loop& loop, IdentityVariables identity, clients::ProxyRules proxies)
    : loop_(loop),
      identity_(std::move(identity)),
      proxies_(std::move(proxies)),
      resolver_(std::make_unique<clients::Resolver>(loop)),
      contexts_(std::make_shared<clients::TlsContexts>()),
      http_(std::make_unique<clients::HttpClient>(loop, *resolver_, contexts_)) {}

Clients::~Clients() = default;

template <class ClientOf, class Target>
std::shared_ptr<ClientOf> Clients::shared(const Target& target) {
  // A client ends with the last backend that uses it: a reload may have removed that backend.
  std::erase_if(clients_, [](const auto& client) { return client.expired(); });
  for (const auto& client : clients_) {
    // The type as well as the target, because the list holds clients of every protocol.
    auto existing = std::dynamic_pointer_cast<ClientOf>(client.lock());
    if (existing && existing->target() == target) return existing;
  }
  auto created = std::make_shared<ClientOf>(loop_, *resolver_, target, contexts_);
  clients_.push_back(created);
  return created;
}

std::shared_ptr<clients::AmqpClient> Clients::make_amqp(const clients::AmqpTarget& target) {
  return shared<clients::AmqpClient>(target);
}

std::shared_ptr<clients::RedisServers> Clients::make_redis(const clients::RedisTarget& target) {
  return shared<clients::RedisClient>(target);
}

std::shared_ptr<clients::RedisServers> Clients::make_redis(const clients::SentinelTarget& target) {
  return shared<clients::SentinelServers>(target);
}

std::shared_ptr<clients::RedisServers> Clients::make_redis(const clients::ClusterTarget& target) {
  return shared<clients::ClusterServers>(target);
}

std::shared_ptr<clients::Login> Clients::make_login(const clients::AuthSettings& settings) {
  std::erase_if(logins_, [](const auto& login) { return login.expired(); });
  const std::string key = clients::key_of(settings);
  for (const auto& login : logins_) {
    if (auto existing = login.lock(); existing && existing->key() == key) return existing;
  }
  auto created = std::make_shared<clients::Login>(loop_,
                                                  clients::TokenHttp(*http_, proxies_),
                                                  clock_,
                                                  settings);
  logins_.push_back(created);
  return created;
}

void Clients::check_credentials(SteadyTime now) {
  for (const auto& entry : clients_) {
    if (const auto client = entry.lock()) client->check_credentials(now);
  }
}

std::string Clients::problem_of(const std::vector<LocalFile>& files) {
  std::string out;
  for (const LocalFile& file : files) {
    const bool is_tls = file.kind == LocalFile::Kind::tls;
    // An empty tls block has no files.
    if (is_tls && file.path.empty() && file.certificate.empty()) continue;
    std::string problem = is_tls
                              ? contexts_->problem_of({{file.path}, {file.certificate}, {file.key}})
                              : SecretFile(file.path).problem();
    const bool is_broken_url = file.kind == LocalFile::Kind::url && url_shape(file.path) == 0;
    if (problem.empty() && is_broken_url)
      problem = "the url in " + file.path + ": " + std::string(kInvalidLogin);
    if (problem.empty()) problem = clients::token_file_problem(file, clock_.wall());
    if (problem.empty()) problem = file.problem;
    // A file that two settings name has a problem once.
    if (problem.empty() || out.find(problem) != out.npos) continue;
    if (!out.empty()) out += out.ends_with('?') ? " " : "; ";
    out += problem;
  }
  return out;
}

void Clients::close() {
  resolver_->close();
  http_->close();
  for (const auto& entry : clients_) {
    if (const auto client = entry.lock()) client->close();
  }
}

}  // namespace weir::scalers
