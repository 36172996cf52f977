// Turns a failed query into a finding, with the permission that is missing.
#include "server/commands/doctor/query.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::server::doctor {
namespace {

using nlohmann::json;
using scalers::Result;
using scalers::clients::HttpReply;

// The message of a Kubernetes Status; the beginning of the body when it is not a Status. Not all of
// it, because a proxy responds with a whole page.
std::string status_text(const HttpReply& reply) {
  const json status = json::parse(reply.body, nullptr, false);
  const bool is_status =
      status.is_object() && status.contains("message") && status["message"].is_string();
  return is_status ? status["message"].get<std::string>() : reply.body.substr(0, 200);
}

}  // namespace

std::optional<Finding> unreadable(const Query& query, const Result<HttpReply>& reply) {
  // Warnings, because they are about the doctor's own account and connection, not about Weir.
  if (!reply) {
    return warning(query.object,
                   "it could not be read: " + reply.error().message(),
                   "run weir doctor again");
  }
  // Written as RBAC writes it, so that it can be granted as it is read.
  if (reply->status == 403 && !query.permission.empty()) {
    return warning(
        query.object,
        fmt::format("it could not be read: this account has no permission to {}", query.permission),
        "grant the permission, or use the kubeconfig of an account that has it");
  }
  const bool is_expected = reply->status / 100 == 2 || reply->status == 404;
  if (!is_expected) {
    return warning(query.object,
                   fmt::format("it could not be read: the kube-apiserver responded with {}: {}",
                               reply->status,
                               status_text(*reply)),
                   "fix the cause that the message names");
  }
  // The callers parse the body without another check.
  if (reply->status != 404 && !json::accept(reply->body)) {
    return warning(query.object,
                   "it could not be read: the response of the kube-apiserver is not JSON",
                   "check whether a proxy responds instead of the kube-apiserver");
  }
  return std::nullopt;
}

std::optional<Finding> unreachable_server(const Query& query, const Result<HttpReply>& reply) {
  if (!reply) {
    return error(query.object,
                 "it cannot be reached: " + reply.error().message(),
                 "fix server or certificate-authority in the kubeconfig, or the network path");
  }
  // Every other query would fail in the same way.
  if (reply->status == 401) {
    return error(query.object,
                 "it rejected the credentials of this account (401)",
                 "put a new token or client certificate into the kubeconfig");
  }
  return std::nullopt;
}

}  // namespace weir::server::doctor
