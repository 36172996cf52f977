#include "apiservice/api_server.hpp"

#include "apiservice/encoding/protobuf.hpp"
#include "apiservice/groups/documents.hpp"
#include "apiservice/groups/explanation.hpp"
#include "apiservice/meta/list_options.hpp"
#include "apiservice/meta/table.hpp"
#include "apiservice/negotiation/media_type.hpp"

#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::apiservice {
namespace {

constexpr Offer kMetricOffer{.has_protobuf = true, .has_table = true, .has_group_discovery = false};

Status watch_not_supported() {
  return {405,
          "MethodNotAllowed",
          "watch is not supported on resources of kind \"*.external.metrics.k8s.io\"",
          StatusDetails{std::string(kGroup), "*"}};
}

Response values(Form form,
                const std::variant<TableOptions::Include, Status>& include,
                std::string_view metric,
                std::span<const scalers::Reading> readings) {
  Response out;
  if (form.media == Form::Media::protobuf) {
    out.content_type = kProtobufType;
    append_value_list_protobuf(out.body, metric, readings);
    return out;
  }
  if (form.shape == Form::Shape::as_is) {
    append_value_list(out.body, metric, readings);
  } else {
    const TableOptions options{form.shape == Form::Shape::table_v1beta1,
                               std::get<TableOptions::Include>(include)};
    append_value_table(out.body, options, metric, readings);
  }
  return document_in_form(std::move(out.body), form);
}

awaitable<Response> at_once(Response response) { co_return response; }

}  // namespace

bool ApiService::is_one_too_many(const Caller& caller) const {
  return max_in_flight_ > 0 && in_flight_ > max_in_flight_ && !caller.is_master();
}

bool ApiService::is_admitted(const Request& request, std::string& user) {
  auto identity = identity_of(request, rules_);
  // Without one there may be a token, which is for others to judge.
  if (!identity.caller) return false;
  const auto caller = caller_of(std::move(identity));
  if (is_one_too_many(*caller)) return false;
  if (!authorizer_.is_allowed_already(*caller, attributes_of(request))) return false;
  user = caller->user;
  return true;
}

awaitable<std::optional<Response>> ApiService::refuse(const Request& request,
                                                      Deadline deadline,
                                                      std::string* user) {
  Claim claim{identity_of(request, rules_), {}, attributes_of(request), request.target};
  if (!claim.identity.caller && tokens_ != nullptr) claim.token = bearer_token(request);
  return judge(std::move(claim), deadline, user);
}

awaitable<std::optional<Response>> ApiService::judge(Claim claim,
                                                     Deadline deadline,
                                                     std::string* user) {
  if (!claim.token.empty()) {
    auto holder = co_await tokens_->judge(scalers::Secret(std::move(claim.token)), deadline);
    claim.identity.caller = std::move(holder);
    claim.identity.is_error = true;  // unless the token gave a caller, it was an invalid one
  }
  auto caller = caller_of(std::move(claim.identity));
  if (!caller) co_return render(unauthorized());
  if (is_one_too_many(*caller)) co_return render(too_many_requests());
  const std::string name = caller->user;
  if (user != nullptr) *user = name;
  const Decision decision = co_await authorizer_.decide(std::move(*caller), claim.asked, deadline);
  if (!decision.failure.empty()) co_return internal_error(claim.target, decision.failure);
  if (decision.is_allowed) co_return std::nullopt;
  co_return render(forbidden(name, claim.asked, decision));
}

awaitable<Response> ApiService::answer(Request& request, Deadline deadline) {
  Route route = route_of(request.path);
  if (route.kind == Route::Kind::unknown) return at_once(page_not_found());
  if (route.kind == Route::Kind::unknown_resource) return at_once(render(resource_not_found()));
  if (request.method != "GET") return at_once(render(method_not_allowed()));
  if (route.kind == Route::Kind::explanation) return explain(request, std::move(route), deadline);
  if (route.kind != Route::Kind::metric) return at_once(shelf_.answer(route.kind, request));
  return read_metric(request, std::move(route), deadline);
}

awaitable<Response> ApiService::read_metric(Request& request, Route route, Deadline deadline) {
  const auto form = form_of(request, kMetricOffer);
  if (!form) co_return not_acceptable(kMetricOffer);
  if (is_true(request, "watch")) co_return render(watch_not_supported());
  auto options = parse_list_options(request);
  if (const auto* status = std::get_if<Status>(&options)) co_return render(*status);
  const auto include = parse_include(request);
  const bool is_table = form->shape != Form::Shape::as_is;
  if (const auto* status = std::get_if<Status>(&include); is_table && status != nullptr)
    co_return render(*status);
  scalers::Query query{std::move(route.name_space),
                       route.metric,
                       std::move(std::get<ListOptions>(options).labels)};
  const auto readings = co_await source_.read(std::move(query), deadline);
  if (!readings) co_return render(status_of(readings.error()));
  co_return values(*form, include, route.metric, *readings);
}

awaitable<Response> ApiService::explain(Request& request, Route route, Deadline deadline) {
  if (explainer_ == nullptr) co_return render(resource_not_found());
  const auto form = form_of(request, Offer{});
  if (!form) co_return not_acceptable(Offer{});
  auto options = parse_list_options(request);
  if (const auto* status = std::get_if<Status>(&options)) co_return render(*status);
  scalers::Query query{std::move(route.name_space),
                       std::move(route.metric),
                       std::move(std::get<ListOptions>(options).labels)};
  const auto explanation = co_await explainer_->explain(std::move(query), deadline);
  if (!explanation) co_return render(status_of(explanation.error()));
  std::string text = explanation_text(*explanation, request.parameter("labelSelector"));
  co_return document_in_form(std::move(text), *form);
}

}  // namespace weir::apiservice
