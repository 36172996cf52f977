// Which rights Weir and its readers need, and what it means when one is missing. Pure.
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

// A service account as the kube-apiserver knows it.
[[nodiscard]] apiservice::UserInfo caller_of(const ObjectName& account);

struct Right {
  apiservice::RequestInfo asked;
  std::string action;  // what to do when it is missing
};

// "list up.external.metrics.k8s.io in ml-inference": verb, resource and place.
[[nodiscard]] std::string text_of(const apiservice::RequestInfo& asked);

// All that Weir's own account needs.
[[nodiscard]] std::vector<Right> own_rights();
// What an HPA needs to read `metric` ("*" for all) in `name_space` (empty for all).
[[nodiscard]] Right reading_right(const std::string& metric, const std::string& name_space);

// One error a right that is missing, or that all of them are there.
struct Judged {
  Right right;
  apiservice::Decision decision;
};
[[nodiscard]] Findings judge_rights(const std::string& object, const std::vector<Judged>& judged);

}  // namespace weir::server::doctor
