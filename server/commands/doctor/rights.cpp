#include "server/commands/doctor/rights.hpp"

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

Right config_right(std::string verb) {
  Right out{resource(std::move(verb), "", "v1", "configmaps"), kReadConfig};
  out.asked.name_space = cluster::kConfigMapNamespace;
  out.asked.name = cluster::kConfigMapName;
  return out;
}

}  // namespace

apiservice::UserInfo caller_of(const ObjectName& account) {
  apiservice::UserInfo out;
  out.user = fmt::format("system:serviceaccount:{}:{}", account.name_space, account.name);
  out.groups = {"system:serviceaccounts",
                "system:serviceaccounts:" + account.name_space,
                "system:authenticated"};
  return out;
}

std::string text_of(const RequestInfo& asked) {
  std::string out = fmt::format("{} {}", asked.verb, asked.resource);
  if (!asked.group.empty()) out += "." + asked.group;
  if (!asked.name.empty()) out += " " + asked.name;
  if (!asked.name_space.empty()) out += " in " + asked.name_space;
  return out;
}

std::vector<Right> own_rights() {
  return {{resource("create", "authentication.k8s.io", "v1", "tokenreviews"), kDelegate},
          {resource("create", "authorization.k8s.io", "v1", "subjectaccessreviews"), kDelegate},
          config_right("get"),
          config_right("list"),
          config_right("watch")};
}

Right reading_right(const std::string& metric, const std::string& name_space) {
  Right out{resource("list",
                     std::string(apiservice::kExternalGroup),
                     std::string(apiservice::kExternalVersion),
                     metric),
            "the ClusterRole system:controller:horizontal-pod-autoscaler grants it in every "
            "cluster: restore it, or bind the account that the controller runs as"};
  out.asked.name_space = name_space;
  return out;
}

Findings judge_rights(const std::string& object, const std::vector<Judged>& judged) {
  Findings out;
  for (const auto& [right, decision] : judged) {
    if (decision.is_allowed) continue;
    out.push_back(error(object,
                        fmt::format("it may not {}{}{}",
                                    text_of(right.asked),
                                    decision.reason.empty() ? "" : ": ",
                                    decision.reason),
                        right.action));
  }
  if (out.empty() && !judged.empty()) {
    std::string all;
    for (const auto& [right, decision] : judged)
      all += fmt::format("{}{}", all.empty() ? "" : ", ", text_of(right.asked));
    out.push_back(ok(object, "it may " + all));
  }
  return out;
}

}  // namespace weir::server::doctor
