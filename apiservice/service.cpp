#include "apiservice/service.hpp"

#include "apiservice/selector.hpp"

#include <utility>

namespace weir::apiservice {
namespace {

Response json(const std::string& body) { return {200, "application/json", body}; }

Status watch_not_supported() {
  return {405,
          "MethodNotAllowed",
          "watch is not supported on resources of kind \"*.external.metrics.k8s.io\"",
          StatusDetails{std::string(kGroup), "*"}};
}

}  // namespace

awaitable<std::optional<Response>> ApiService::refuse(Request request, Deadline deadline) {
  const auto caller = co_await identify(request, deadline);
  if (!caller) co_return render(unauthorized());
  const Attributes asked = attributes_of(request);
  const Decision decision = co_await authorizer_.decide(*caller, asked, deadline);
  if (!decision.failure.empty()) co_return internal_error(request.target, decision.failure);
  if (decision.is_allowed) co_return std::nullopt;
  co_return render(forbidden(*caller, asked, decision));
}

awaitable<std::optional<Caller>> ApiService::identify(Request request, Deadline deadline) {
  Identity identity = identity_of(request, rules_);
  std::string token = bearer_token(request);
  if (!identity.caller && tokens_ != nullptr && !token.empty()) {
    identity.caller = co_await tokens_->judge(scalers::Secret(std::move(token)), deadline);
    identity.is_error = true;  // unless the token gave a caller, it was an invalid one
  }
  co_return caller_of(std::move(identity));
}

awaitable<Response> ApiService::answer(Request request, Deadline deadline) {
  Route route = route_of(request.path);
  if (route.kind == Route::Kind::unknown) co_return page_not_found();
  if (route.kind == Route::Kind::unknown_resource) co_return render(resource_not_found());
  if (request.method != "GET") co_return render(method_not_allowed());
  switch (route.kind) {
    case Route::Kind::group_list: co_return json(discovery_.group_list);
    case Route::Kind::group: co_return json(discovery_.group);
    case Route::Kind::resource_list: co_return json(discovery_.resource_list);
    case Route::Kind::metric:
    case Route::Kind::unknown_resource:
    case Route::Kind::unknown: break;
  }
  auto response = co_await read_metric(std::move(request), std::move(route), deadline);
  co_return response;
}

awaitable<Response> ApiService::read_metric(Request request, Route route, Deadline deadline) {
  if (attributes_of(request).verb == "watch") co_return render(watch_not_supported());
  auto labels = parse_selector(request.parameter("labelSelector"));
  if (!labels) co_return render(status_of(labels.error()));
  scalers::Query query{std::move(route.name_space), route.metric, std::move(*labels)};
  const auto readings = co_await source_.read(std::move(query), deadline);
  if (!readings) co_return render(status_of(readings.error()));
  Response out;
  append_value_list(out.body, route.metric, *readings);
  co_return out;
}

}  // namespace weir::apiservice
