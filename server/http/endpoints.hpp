// The endpoints that the server adds to those of the API: health checks and telemetry.
#pragma once

#include "apiservice/endpoints.hpp"
#include "server/http/health.hpp"

#include <functional>
#include <string>

namespace weir::server {

inline constexpr const char* kTelemetryPath = "/metrics";

// `telemetry_page` renders /metrics. `health`, and everything that `telemetry_page` refers to,
// outlives the endpoints.
[[nodiscard]] apiservice::Endpoints server_endpoints(const Health& health,
                                                     std::function<std::string()> telemetry_page);

}  // namespace weir::server
