// The decisions of standalone mode, and the 403 of every mode in the words of Kubernetes.
#include "apiservice/auth/access.hpp"

#include "apiservice/encoding/go_text.hpp"

#include <fmt/format.h>

namespace weir::apiservice {
namespace {

std::string reason_tail(const Decision& decision) {
  return decision.reason.empty() ? std::string() : ": " + decision.reason;
}

}  // namespace

awaitable<Decision> StandaloneAuthorizer::decide(UserInfo caller,
                                                 RequestInfo /*info*/,
                                                 Deadline /*deadline*/) {
  // There is no kube-apiserver to review a permission, so a proven identity is all that can be
  // asked for.
  if (!caller.is_anonymous()) co_return Decision{true, "", ""};
  co_return Decision{
      false,
      "--standalone serves only callers with a client certificate or behind the front proxy",
      ""};
}

Status forbidden(std::string_view user, const RequestInfo& info, const Decision& decision) {
  if (!info.is_resource) {
    // The details of a path are empty but present, as in Kubernetes.
    return {403,
            "Forbidden",
            "forbidden: " +
                sanitized(fmt::format("User {} cannot {} path {}",
                                      go_quoted(user),
                                      info.verb,
                                      go_quoted(info.path))) +
                reason_tail(decision),
            StatusDetails{}};
  }
  // apierrors.NewForbidden() around the filter's own text, which alone is escaped: the resource
  // comes twice, first without and then with its subresource. The reason of the authorizer is as it
  // came.
  const std::string resource = info.subresource.empty()
                                   ? info.resource
                                   : fmt::format("{}/{}", info.resource, info.subresource);
  const std::string name = info.name.empty() ? std::string() : " " + go_quoted(info.name);
  const std::string where = info.name_space.empty()
                                ? std::string("at the cluster scope")
                                : "in the namespace " + go_quoted(info.name_space);
  const std::string denial = fmt::format("User {} cannot {} resource {} in API group {} {}",
                                         go_quoted(user),
                                         info.verb,
                                         go_quoted(resource),
                                         go_quoted(info.group),
                                         where);
  return {403,
          "Forbidden",
          fmt::format("{}.{}{} is forbidden: {}{}",
                      info.resource,
                      info.group,
                      name,
                      sanitized(denial),
                      reason_tail(decision)),
          StatusDetails{info.group, info.resource}};
}

}  // namespace weir::apiservice
