// Queries a cluster for everything that `weir doctor` checks, one query after the other. Each query
// has a deadline, and all together have one. Reads no Secret and changes nothing. Loop thread only.
#pragma once

#include "scalers/clients/net/resolver.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/commands/doctor/autoscalers.hpp"
#include "server/commands/doctor/direct_probe.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"
#include "server/commands/doctor/permissions.hpp"
#include "server/commands/doctor/query.hpp"
#include "server/commands/doctor/registration.hpp"
#include "server/kube/client/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::server::doctor {

inline constexpr Duration kMaxCheckTime{25'000};

// What the user has said about Weir.
struct Scope {
  std::optional<ObjectName> service;  // Weir's Service, even if the APIService names another
  std::optional<ObjectName> account;  // Weir's service account
  bool is_own_account = false;        // the account of the queries is Weir's
  std::string server_host;            // to probe directly; empty: the endpoints of the Service
  std::uint16_t server_port = 0;
  ServedMetrics served;
};

class ClusterChecks {
 public:
  // All arguments outlive the checks.
  ClusterChecks(Loop& loop,
                scalers::clients::Resolver& resolver,
                cluster::KubeClient& kube,
                const Clock& clock,
                Scope scope)
      : loop_(loop), resolver_(resolver), kube_(kube), clock_(clock), scope_(std::move(scope)) {}

  // Runs all checks. To be called once.
  [[nodiscard]] awaitable<Findings> run();

 private:
  struct ObjectReply {
    bool is_missing = false;            // a 404
    std::optional<std::string> body{};  // JSON; nullopt when the object could not be read
  };
  struct Subject {
    std::string object;                          // "account system:serviceaccount:weir-system:weir"
    std::optional<apiservice::UserInfo> caller;  // nullopt: the account of the queries
  };

  awaitable<bool> query_server();
  awaitable<void> fetch_api_service();
  awaitable<void> fetch_service();
  awaitable<void> fetch_autoscalers();
  awaitable<void> fetch_endpoints();
  awaitable<void> probe_directly();
  awaitable<bool> probe_target(std::string object, std::string host, std::uint16_t port);
  awaitable<void> review_own_permissions();
  awaitable<void> fetch_account();
  awaitable<void> review_reader_permissions();
  awaitable<void> fetch_discovery();

  // The decisions on `permissions`; empty when a review failed, which becomes a finding.
  awaitable<std::vector<PermissionDecision>> review(Subject subject,
                                                    std::vector<Permission> permissions);
  // An object that cannot be read becomes a finding.
  awaitable<ObjectReply> fetch(Query query);
  awaitable<scalers::Result<scalers::clients::HttpReply>> send(Query query);

  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] bool is_foreign() const { return owner_.kind == Owner::Kind::foreign; }
  void check_ownership();
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  void add(Findings findings);
  // One permission for each metric that HPAs use in a namespace.
  [[nodiscard]] std::vector<Permission> permissions_in_use() const;

  Loop& loop_;
  scalers::clients::Resolver& resolver_;
  cluster::KubeClient& kube_;
  const Clock& clock_;
  Scope scope_;
  Deadline deadline_{};
  Findings findings_;
  std::optional<ApiServiceObject> api_service_;
  Owner owner_;
  std::optional<ObjectName> service_name_;  // of Weir; nullopt: unknown
  std::optional<ServiceObject> service_;
  std::vector<Endpoint> endpoints_;
  std::optional<std::vector<Autoscaler>> autoscalers_;
};

}  // namespace weir::server::doctor
