#include "server/http/router.hpp"

#include "apiservice/meta/status.hpp"
#include "apiservice/meta/timeout.hpp"
#include "apiservice/negotiation/media_type.hpp"
#include "server/telemetry/telemetry.hpp"

#include <utility>

namespace weir::server {

awaitable<apiservice::Response> Router::answer(apiservice::Request& request,
                                               Deadline deadline,
                                               std::string& user) {
  if (Health::is_open(request.path)) co_return health_.answer(request);
  const apiservice::ApiService::InFlight counted(api_);
  const apiservice::Form form = apiservice::status_form_of(request);
  const auto timeout = apiservice::timeout_of(request);
  if (!timeout)
    co_return apiservice::status_in_form(render(apiservice::status_of(timeout.error())), form);
  if (*timeout) deadline = deadline.capped(**timeout);
  if (!api_.is_admitted(request, user)) {
    auto refusal = co_await api_.refuse(request, deadline, &user);
    if (refusal) co_return apiservice::status_in_form(std::move(*refusal), form);
  }
  if (Health::owns(request.path)) co_return health_.answer(request);
  if (request.path == kTelemetryPath && request.method == "GET")
    co_return apiservice::Response{200, kTelemetryType, telemetry_page_()};
  auto response = co_await api_.answer(request, deadline);
  co_return apiservice::status_in_form(std::move(response), form);
}

}  // namespace weir::server
