// One request from its head to its response: counts it, and writes its access log line. Lives in
// the session's coroutine; loop thread only.
#pragma once

#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "server/telemetry/request_labels.hpp"
#include "server/telemetry/telemetry.hpp"

#include <string>

namespace weir::server {

// From this verbosity on every finished request has a log line.
inline constexpr int kAccessVerbosity = 3;

class RequestTrace {
 public:
  // The request counts as in flight until the trace is destroyed. `telemetry` outlives it.
  RequestTrace(Telemetry& telemetry,
               const apiservice::Request& request,
               const apiservice::RequestInfo& info,
               SteadyTime now);
  RequestTrace(const RequestTrace&) = delete;
  RequestTrace& operator=(const RequestTrace&) = delete;
  ~RequestTrace();

  std::string user;  // the authenticated user; empty before authentication

  // The response is ready. The query string is never logged, because it may hold private data.
  // `status_text`: the Status of an error in JSON, or a text, whose message becomes the reason.
  void finish(int status,
              SteadyTime now,
              const std::string& audit_id,
              const std::string& status_text);

 private:
  Telemetry& telemetry_;
  RequestLabels labels_;
  SteadyTime began_;
  std::string method_;  // method and path are empty unless the line is logged
  std::string path_;
};

}  // namespace weir::server
