// Asks a cluster everything that `weir doctor` judges, one question after the other, each under a
// deadline of its own and all under one. It reads no Secret and changes nothing. Loop thread only.
#pragma once

#include "scalers/clients/net/resolver.hpp"
#include "scalers/deadline.hpp"
#include "scalers/task.hpp"
#include "server/commands/doctor/autoscalers.hpp"
#include "server/commands/doctor/direct_probe.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"
#include "server/commands/doctor/question.hpp"
#include "server/commands/doctor/registration.hpp"
#include "server/commands/doctor/rights.hpp"
#include "server/kube/client/client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::server::doctor {

inline constexpr Duration kLongestExamination{25'000};

// What the caller knows of Weir.
struct Scope {
  std::optional<ObjectName> service;  // Weir's, whatever the APIService names
  std::optional<ObjectName> account;  // Weir's service account
  bool is_own_account = false;        // the asking account is Weir's
  std::string server_host;            // to look at directly; empty: the Service's endpoints
  std::uint16_t server_port = 0;
  ServedMetrics served;
};

class Examination {
 public:
  // All of it outlives the examination.
  Examination(Loop& loop,
              scalers::clients::Resolver& resolver,
              cluster::KubeClient& kube,
              const Clock& clock,
              Scope scope)
      : loop_(loop), resolver_(resolver), kube_(kube), clock_(clock), scope_(std::move(scope)) {}

  // Once.
  [[nodiscard]] awaitable<Findings> run();

 private:
  struct Seen {
    bool is_missing = false;            // a 404
    std::optional<std::string> body{};  // JSON; nullopt when there is nothing to see
  };
  struct Subject {
    std::string object;                          // "account system:serviceaccount:weir-system:weir"
    std::optional<apiservice::UserInfo> caller;  // nullopt: the asking account
  };

  awaitable<bool> look_at_server();
  awaitable<void> look_at_api_service();
  awaitable<void> look_at_service();
  awaitable<void> look_at_autoscalers();
  awaitable<void> look_at_endpoints();
  awaitable<void> look_directly();
  awaitable<bool> look_at_one(std::string object, std::string host, std::uint16_t port);
  awaitable<void> look_at_own_rights();
  awaitable<void> find_account();
  awaitable<void> look_at_reading_rights();
  awaitable<void> look_at_discovery();

  // The decisions on `rights`; none when they cannot be asked, which is a finding then.
  awaitable<std::vector<Judged>> review(Subject subject, std::vector<Right> rights);
  // What cannot be looked at becomes a finding.
  awaitable<Seen> ask(Question question);
  awaitable<scalers::Result<scalers::clients::HttpReply>> send(Question question);

  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] bool is_foreign() const { return owner_.kind == Owner::Kind::foreign; }
  void judge_who_owns();
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  void add(Findings findings);
  // Each metric that an HPA asks for, once a namespace.
  [[nodiscard]] std::vector<Right> rights_in_use() const;

  Loop& loop_;
  scalers::clients::Resolver& resolver_;
  cluster::KubeClient& kube_;
  const Clock& clock_;
  Scope scope_;
  Deadline whole_{};
  Findings findings_;
  std::optional<ApiServiceObject> api_service_;
  Owner owner_;
  std::optional<ObjectName> service_name_;  // of Weir; nullopt: not known
  std::optional<ServiceObject> service_;
  std::vector<Endpoint> endpoints_;
  std::optional<std::vector<Autoscaler>> autoscalers_;
};

}  // namespace weir::server::doctor
