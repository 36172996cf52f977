// The permissions that Weir and the HPA controller need, and the findings on them. Pure.
#pragma once

#include "apiservice/auth/access.hpp"
#include "apiservice/auth/identity.hpp"
#include "apiservice/request/request_info.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <set>
#include <string>
#include <vector>

namespace weir::server::doctor {

// The user of a service account, as the kube-apiserver authenticates it.
[[nodiscard]] apiservice::UserInfo service_account_user(const ObjectName& account);

struct Permission {
  apiservice::RequestInfo attributes;
  std::string action;  // what to do when it is missing
};

// "list METRIC.GROUP in NAMESPACE": verb, resource and namespace.
[[nodiscard]] std::string text_of(const apiservice::RequestInfo& attributes);

// The permissions that Weir's own account needs.
[[nodiscard]] std::vector<Permission> own_permissions();
// The permission that the HPA controller needs to read `metric` ("*" for all) in `name_space`
// (empty for all).
[[nodiscard]] Permission read_permission(const std::string& metric, const std::string& name_space);

// One error for each missing permission, or one ok finding. Empty without decisions.
struct PermissionDecision {
  Permission permission;
  apiservice::Decision decision;
};
[[nodiscard]] Findings check_permissions(const std::string& object,
                                         const std::vector<PermissionDecision>& decisions);

}  // namespace weir::server::doctor
