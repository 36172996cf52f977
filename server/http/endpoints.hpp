// The endpoints that the server adds to the API's own: health, open to everybody, and telemetry.
#pragma once

#include "apiservice/endpoints.hpp"
#include "server/http/health.hpp"

#include <functional>
#include <string>

namespace weir::server {

inline constexpr const char* kTelemetryPath = "/metrics";

// `health` and what `telemetry_page` refers to outlive the endpoints. `telemetry_page` renders
// /metrics.
[[nodiscard]] apiservice::Endpoints server_endpoints(const Health& health,
                                                     std::function<std::string()> telemetry_page);

}  // namespace weir::server
