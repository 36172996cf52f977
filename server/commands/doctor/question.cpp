#include "server/commands/doctor/question.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::server::doctor {
namespace {

using nlohmann::json;
using scalers::Result;
using scalers::clients::HttpReply;

// The text of a Kubernetes Status; the body's beginning when it is none.
std::string words_of(const HttpReply& reply) {
  const json status = json::parse(reply.body, nullptr, false);
  const bool is_status =
      status.is_object() && status.contains("message") && status["message"].is_string();
  return is_status ? status["message"].get<std::string>() : reply.body.substr(0, 200);
}

}  // namespace

std::optional<Finding> unseen(const Question& question, const Result<HttpReply>& reply) {
  if (!reply) {
    return warning(question.object,
                   "it could not be looked at: " + reply.error().message(),
                   "ask again");
  }
  if (reply->status == 403 && !question.permission.empty()) {
    return warning(
        question.object,
        fmt::format("it could not be looked at: this account may not {}", question.permission),
        "grant that, or use the kubeconfig of an account that may");
  }
  const bool is_answer = reply->status / 100 == 2 || reply->status == 404;
  if (!is_answer) {
    return warning(question.object,
                   fmt::format("it could not be looked at: the kube-apiserver says {}: {}",
                               reply->status,
                               words_of(*reply)),
                   "mend what the text names");
  }
  if (reply->status != 404 && !json::accept(reply->body)) {
    return warning(question.object,
                   "it could not be looked at: the kube-apiserver's answer is no JSON",
                   "look whether a proxy answers in its place");
  }
  return std::nullopt;
}

std::optional<Finding> unreachable_server(const Question& question,
                                          const Result<HttpReply>& reply) {
  if (!reply) {
    return error(question.object,
                 "it cannot be asked: " + reply.error().message(),
                 "mend server or certificate-authority in the kubeconfig, or the way there");
  }
  if (reply->status == 401) {
    return error(question.object,
                 "it does not know this account (401)",
                 "get a new token or client certificate into the kubeconfig");
  }
  return std::nullopt;
}

}  // namespace weir::server::doctor
