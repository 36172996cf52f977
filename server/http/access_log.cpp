// Request metrics and the access log line. The destructor ends the in-flight count, so a request
// that fails with an exception is counted too.
#include "server/http/access_log.hpp"

#include "server/logging/log.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>

namespace weir::server {
namespace {

constexpr int kFirstError = 400;  // RFC 9110, 15
// A Status may repeat what the caller sent.
constexpr std::size_t kMaxReasonBytes = 2048;

std::string reason_of(const std::string& status_text) {
  const auto status = nlohmann::json::parse(status_text, nullptr, false);
  const bool has_message =
      status.is_object() && status.contains("message") && status["message"].is_string();
  // Kubernetes' page for an unknown path is plain text.
  std::string out = has_message ? status["message"].get<std::string>() : status_text;
  if (out.size() > kMaxReasonBytes) out.resize(kMaxReasonBytes);
  return out;
}

}  // namespace

RequestTrace::RequestTrace(Telemetry& telemetry,
                           const apiservice::Request& request,
                           const apiservice::RequestInfo& info,
                           SteadyTime now)
    : telemetry_(telemetry), labels_(telemetry.labels_of(request, info)), began_(now) {
  // Copied only when the line will be logged.
  if (is_logged(kAccessVerbosity)) {
    method_ = request.method;
    path_ = request.path;
  }
  telemetry_.request_began(labels_.verb);
}

RequestTrace::~RequestTrace() { telemetry_.request_ended(labels_.verb); }

void RequestTrace::finish(int status,
                          SteadyTime now,
                          const std::string& audit_id,
                          const std::string& status_text) {
  const auto took = now - began_;
  telemetry_.request_done(labels_, status, took);
  if (!is_logged(kAccessVerbosity)) return;
  const Field verb("verb", method_);
  const Field path("path", path_);
  const Field code("code", status);
  const Field latency("latency_ms", std::chrono::duration<double, std::milli>(took).count());
  const Field caller("user", user);
  const Field id("audit_id", audit_id);
  if (status < kFirstError)
    return log_at(kAccessVerbosity, "request", {verb, path, code, latency, caller, id});
  const Field reason("reason", reason_of(status_text));
  log_at(kAccessVerbosity, "request", {verb, path, code, latency, caller, id, reason});
}

}  // namespace weir::server
