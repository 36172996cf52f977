// Request metrics and the access log line. The destructor ends the in-flight count, so a request
// that fails with an exception is counted too.
#include "server/http/access_log.hpp"

#include "server/logging/log.hpp"

#include <chrono>

namespace weir::server {

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

void RequestTrace::finish(int status, SteadyTime now, const std::string& audit_id) {
  const auto took = now - began_;
  telemetry_.request_done(labels_, status, took);
  if (!is_logged(kAccessVerbosity)) return;
  log_at(kAccessVerbosity,
         "request",
         {{"verb", method_},
          {"path", path_},
          {"code", status},
          {"latency_ms", std::chrono::duration<double, std::milli>(took).count()},
          {"user", user},
          {"audit_id", audit_id}});
}

}  // namespace weir::server
