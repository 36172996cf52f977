// The chain in one place: to see what a request goes through, read respond() from top to
// bottom.
#include "apiservice/api_server.hpp"

#include "apiservice/meta/status.hpp"
#include "apiservice/meta/timeout.hpp"
#include "apiservice/negotiation/media_type.hpp"
#include "scalers/settings/secret.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace weir::apiservice {
namespace {

using Route = RequestInfo::Route;

awaitable<Response> immediate(Response response) { co_return response; }

}  // namespace

ApiServer::ApiServer(ApiServerSettings settings, std::vector<ApiGroup> groups, Endpoints endpoints)
    : settings_(settings), own_endpoints_(std::move(endpoints)) {
  served_ = apiservice::group_versions(groups);
  for (const ApiGroup& group : groups)
    handlers_.insert(handlers_.end(), group.versions.size(), group.handler);
  set_groups(std::move(groups));
}

void ApiServer::set_groups(std::vector<ApiGroup> groups) {
  assert(apiservice::group_versions(groups) == served_);
  std::vector<std::string> own_paths;
  for (const Endpoint& one : own_endpoints_) {
    if (one.match != Endpoint::Match::below) own_paths.push_back(one.path);
  }
  documents_ = std::make_unique<const PrerenderedDocuments>(groups, own_paths);
  endpoints_ = own_endpoints_;
  std::ranges::move(documents_->endpoints(), std::back_inserter(endpoints_));
}

RequestInfo ApiServer::request_info(const Request& request) const {
  RequestInfo out = request_info_of(request, served_);
  if (out.is_resource) return out;
  const auto found = std::ranges::find_if(endpoints_, [&out](const Endpoint& endpoint) {
    return endpoint.matches(out.path);
  });
  if (found != endpoints_.end())
    out.endpoint = static_cast<std::size_t>(found - endpoints_.begin());
  return out;
}

awaitable<Response> ApiServer::respond(Request& request,
                                       RequestInfo& info,
                                       Deadline deadline,
                                       std::string& user) {
  const Endpoint* endpoint = endpoint_of(info);
  if (endpoint != nullptr && endpoint->access == Endpoint::Access::anyone)
    co_return endpoint->respond(request);

  const InFlight counted(*this);
  Negotiation negotiation(request);
  const auto timeout = timeout_of(request, info);
  if (!timeout)
    co_return encode_status(render(status_of(timeout.error())), negotiation.of_status());
  if (*timeout) deadline = deadline.capped(**timeout);

  if (!try_admit_from_cache(request, info, user)) {
    auto rejection = co_await authenticate_and_authorize(request, info, deadline, user);
    if (rejection) co_return encode_status(std::move(*rejection), negotiation.of_status());
  }

  auto response = co_await route(request, info, negotiation, deadline);
  if (response.status < 400) co_return response;
  co_return encode_status(std::move(response), negotiation.of_status());
}

awaitable<Response> ApiServer::route(Request& request,
                                     RequestInfo& info,
                                     Negotiation& negotiation,
                                     Deadline deadline) {
  if (const Endpoint* endpoint = endpoint_of(info)) return immediate(endpoint->respond(request));
  switch (info.route) {
    case Route::non_resource:
    case Route::unserved: return immediate(page_not_found());
    case Route::unknown_resource: return immediate(render(resource_not_found()));
    case Route::collection:
    case Route::explanation: break;
  }
  if (request.method != "GET") return immediate(render(method_not_allowed()));
  return handlers_.at(info.group_version)->respond(request, info, negotiation, deadline);
}

bool ApiServer::try_admit_from_cache(const Request& request,
                                     const RequestInfo& info,
                                     std::string& user) {
  auto identity = identity_of(request, settings_.rules);
  // Without a caller there may be a token, which others authenticate.
  if (!identity.caller) return false;
  const auto acting = effective_user(std::move(identity));
  if (is_over_limit(*acting) || !settings_.authorizer.allowed_from_cache(*acting, info))
    return false;
  user = acting->user;
  return true;
}

awaitable<std::optional<Response>> ApiServer::authenticate_and_authorize(Request& request,
                                                                         RequestInfo& info,
                                                                         Deadline deadline,
                                                                         std::string& user) {
  Identity identity = identity_of(request, settings_.rules);
  std::string token;
  if (!identity.caller && settings_.tokens != nullptr) token = bearer_token(request);
  if (!token.empty()) {
    auto holder =
        co_await settings_.tokens->authenticate(scalers::Secret(std::move(token)), deadline);
    identity.caller = std::move(holder);
    identity.is_error = true;  // unless the token gave a user, it was an invalid one
  }
  auto acting = effective_user(std::move(identity));
  if (!acting) co_return render(unauthorized());
  if (is_over_limit(*acting)) co_return render(too_many_requests());
  user = acting->user;
  const Decision decision =
      co_await settings_.authorizer.decide(std::move(*acting), info, deadline);
  if (!decision.failure.empty()) co_return internal_error(request.target, decision.failure);
  if (decision.is_allowed) co_return std::nullopt;
  co_return render(forbidden(user, info, decision));
}

const Endpoint* ApiServer::endpoint_of(const RequestInfo& info) const {
  return info.endpoint == RequestInfo::kNone ? nullptr : &endpoints_.at(info.endpoint);
}

bool ApiServer::is_over_limit(const UserInfo& user) const {
  return settings_.max_in_flight > 0 && in_flight_ > settings_.max_in_flight &&
         !user.is_privileged();
}

}  // namespace weir::apiservice
