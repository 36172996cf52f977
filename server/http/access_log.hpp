// One request from its head to its answer: counts it, and writes its access line. Lives in the
// session's coroutine; loop thread only.
#pragma once

#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "server/telemetry/request_labels.hpp"
#include "server/telemetry/telemetry.hpp"

#include <string>

namespace weir::server {

// From this verbosity on every answered request has a line.
inline constexpr int kAccessVerbosity = 3;

class RequestTrace {
 public:
  // Counts the request as under way until the trace is destroyed. `telemetry` outlives it.
  RequestTrace(Telemetry& telemetry,
               const apiservice::Request& request,
               const apiservice::RequestInfo& info,
               SteadyTime now);
  RequestTrace(const RequestTrace&) = delete;
  RequestTrace& operator=(const RequestTrace&) = delete;
  ~RequestTrace();

  std::string user;  // who acts; empty until that is known

  // The answer is there. The query, which may hold what is nobody's business, is in no line.
  void answered(int status, SteadyTime now, const std::string& audit_id);

 private:
  Telemetry& telemetry_;
  RequestLabels labels_;
  SteadyTime began_;
  std::string method_;  // this and the path only when the line is wanted
  std::string path_;
};

}  // namespace weir::server
