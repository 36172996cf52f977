// The table of the server's own endpoints. The exact health paths are open to anonymous callers,
// as in Kubernetes; the paths below them need authorization.
#include "server/http/endpoints.hpp"

#include "apiservice/meta/status.hpp"
#include "server/telemetry/telemetry.hpp"

#include <utility>

namespace weir::server {

using apiservice::Endpoint;
using apiservice::Request;
using apiservice::Response;

apiservice::Endpoints server_endpoints(const Health& health,
                                       std::function<std::string()> telemetry_page) {
  apiservice::Endpoints out;
  const auto respond = [&health](const Request& request) { return health.respond(request); };
  for (const char* path : {"/healthz", "/livez", "/readyz"}) {
    out.push_back({.path = path,
                   .match = Endpoint::Match::exact,
                   .access = Endpoint::Access::anyone,
                   .respond = respond,
                   .label = path});
    // Paths below name a check. Callers choose them, so they share the label of the endpoint.
    out.push_back({.path = path,
                   .match = Endpoint::Match::below,
                   .access = Endpoint::Access::authorized,
                   .respond = respond,
                   .label = path});
  }
  auto page = [telemetry_page = std::move(telemetry_page)](const Request& request) {
    if (request.method != "GET") return apiservice::page_not_found();
    return Response{200, kTelemetryType, telemetry_page()};
  };
  out.push_back({.path = kTelemetryPath,
                 .match = Endpoint::Match::exact,
                 .access = Endpoint::Access::authorized,
                 .respond = std::move(page),
                 .label = kTelemetryPath});
  return out;
}

}  // namespace weir::server
