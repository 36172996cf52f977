// The permissions of the manifests, as attributes of a SubjectAccessReview.
#include "server/commands/doctor/permissions.hpp"

#include "apiservice/groups/external_values.hpp"
#include "server/kube/trust/authentication_config.hpp"

#include <fmt/format.h>

namespace weir::server::doctor {
namespace {

using apiservice::RequestInfo;

constexpr const char* kDelegate =
    "bind Weir's service account to the ClusterRole system:auth-delegator";
constexpr const char* kReadConfig =
    "bind Weir's service account in kube-system to the Role "
    "extension-apiserver-authentication-reader";

RequestInfo resource(std::string verb, std::string group, std::string version, std::string name) {
  RequestInfo out;
  out.is_resource = true;
  out.verb = std::move(verb);
  out.group = std::move(group);
  out.version = std::move(version);
  out.resource = std::move(name);
  return out;
}

// The ConfigMap extension-apiserver-authentication, which Weir lists and watches by name. The
// review has the name, because the Role permits this one ConfigMap only.
Permission config_permission(std::string verb) {
  Permission out{resource(std::move(verb), "", "v1", "configmaps"), kReadConfig};
  out.attributes.name_space = cluster::kConfigMapNamespace;
  out.attributes.name = cluster::kConfigMapName;
  return out;
}

}  // namespace

apiservice::UserInfo service_account_user(const ObjectName& account) {
  apiservice::UserInfo out;
  out.user = fmt::format("system:serviceaccount:{}:{}", account.name_space, account.name);
  // The groups that the kube-apiserver gives to every service account. Bindings to these groups
  // count too.
  out.groups = {"system:serviceaccounts",
                "system:serviceaccounts:" + account.name_space,
                "system:authenticated"};
  return out;
}

std::string text_of(const RequestInfo& attributes) {
  // As RBAC writes it: the resource, a point and its group.
  std::string out = fmt::format("{} {}", attributes.verb, attributes.resource);
  if (!attributes.group.empty()) out += "." + attributes.group;
  if (!attributes.name.empty()) out += " " + attributes.name;
  if (!attributes.name_space.empty()) out += " in " + attributes.name_space;
  return out;
}

std::vector<Permission> own_permissions() {
  // The ClusterRole and the Role of the manifests. Weir needs nothing else, and no Secret.
  return {{resource("create", "authentication.k8s.io", "v1", "tokenreviews"), kDelegate},
          {resource("create", "authorization.k8s.io", "v1", "subjectaccessreviews"), kDelegate},
          config_permission("get"),
          config_permission("list"),
          config_permission("watch")};
}

// The HPA controller lists the metric, which is what its ClusterRole allows.
Permission read_permission(const std::string& metric, const std::string& name_space) {
  Permission out{
      resource("list",
               std::string(apiservice::kExternalGroup),
               std::string(apiservice::kExternalVersion),
               metric),
      "restore the ClusterRole system:controller:horizontal-pod-autoscaler, which grants it by "
      "default, or grant it to the account of the controller"};
  out.attributes.name_space = name_space;
  return out;
}

Findings check_permissions(const std::string& object,
                           const std::vector<PermissionDecision>& decisions) {
  Findings out;
  for (const auto& [permission, decision] : decisions) {
    if (decision.is_allowed) continue;
    out.push_back(error(object,
                        fmt::format("it has no permission to {}{}{}",
                                    text_of(permission.attributes),
                                    decision.reason.empty() ? "" : ": ",
                                    decision.reason),
                        permission.action));
  }
  // Without decisions the failed review is a finding already.
  if (out.empty() && !decisions.empty()) {
    std::string all;
    for (const auto& [permission, decision] : decisions)
      all += fmt::format("{}{}", all.empty() ? "" : ", ", text_of(permission.attributes));
    out.push_back(ok(object, "it has permission to " + all));
  }
  return out;
}

}  // namespace weir::server::doctor
