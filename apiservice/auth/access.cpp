#include "apiservice/auth/access.hpp"

#include <fmt/format.h>

namespace weir::apiservice {
namespace {

std::string reason_tail(const Decision& decision) {
  return decision.reason.empty() ? std::string() : ": " + decision.reason;
}

}  // namespace

awaitable<Decision> StandaloneAuthorizer::decide(UserInfo caller,
                                                 RequestInfo /*asked*/,
                                                 Deadline /*deadline*/) {
  if (!caller.is_anonymous()) co_return Decision{true, "", ""};
  co_return Decision{
      false,
      "--standalone serves callers with a client certificate or behind the front proxy",
      ""};
}

Status forbidden(std::string_view user, const RequestInfo& asked, const Decision& decision) {
  if (!asked.is_resource) {
    return {403,
            "Forbidden",
            fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"{}",
                        user,
                        asked.verb,
                        asked.path,
                        reason_tail(decision)),
            StatusDetails{}};
  }
  const std::string resource = asked.subresource.empty()
                                   ? asked.resource
                                   : fmt::format("{}/{}", asked.resource, asked.subresource);
  const std::string named = asked.name.empty() ? std::string() : fmt::format(" \"{}\"", asked.name);
  const std::string where = asked.name_space.empty()
                                ? std::string(" at the cluster scope")
                                : fmt::format(" in the namespace \"{}\"", asked.name_space);
  return {403,
          "Forbidden",
          fmt::format(
              "{}.{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{}{}",
              asked.resource,
              asked.group,
              named,
              user,
              asked.verb,
              resource,
              asked.group,
              where,
              reason_tail(decision)),
          StatusDetails{asked.group, asked.resource}};
}

}  // namespace weir::apiservice
