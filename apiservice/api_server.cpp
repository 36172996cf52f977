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

// Turns a finished response into an awaitable, so that route() itself is not a coroutine, which
// saves every metric read a frame.
awaitable<Response> immediate(Response response) { co_return response; }

// In the caller's form; `info` keeps the Status for the log.
Response finish_error(Response response, RequestInfo& info, Negotiation& negotiation) {
  info.status = response.body;
  return encode_status(std::move(response), negotiation.of_status());
}

}  // namespace

ApiServer::ApiServer(ApiServerSettings settings, std::vector<ApiGroup> groups, Endpoints endpoints)
    : settings_(settings), own_endpoints_(std::move(endpoints)) {
  served_ = apiservice::group_versions(groups);
  // One handler a version, in the order of served_: RequestInfo::group_version is an index into
  // both.
  for (const ApiGroup& group : groups)
    handlers_.insert(handlers_.end(), group.versions.size(), group.handler);
  set_groups(std::move(groups));
}

void ApiServer::set_groups(std::vector<ApiGroup> groups) {
  // A reload may change resources, never group versions, because requests in flight hold indices
  // into these lists.
  assert(apiservice::group_versions(groups) == served_);
  std::vector<std::string> own_paths;
  for (const Endpoint& endpoint : own_endpoints_) {
    // A row for the paths below an endpoint repeats the path of the endpoint, which the index would
    // then list twice.
    if (endpoint.match != Endpoint::Match::below) own_paths.push_back(endpoint.path);
  }
  documents_ = std::make_unique<const PrerenderedDocuments>(groups, own_paths, settings_.version);
  // The rows of the documents refer to the object above, so the whole table is made again.
  endpoints_ = own_endpoints_;
  std::ranges::move(documents_->endpoints(), std::back_inserter(endpoints_));
}

RequestInfo ApiServer::request_info(const Request& request) const {
  RequestInfo out = request_info_of(request, served_);
  // Found here because telemetry counts a denied read under its metric as well.
  if (out.route == Route::collection || out.route == Route::explanation)
    out.metric = handlers_.at(out.group_version)->find_metric(out.collection());
  if (out.is_resource) return out;
  const auto match = std::ranges::find_if(endpoints_, [&out](const Endpoint& endpoint) {
    return endpoint.matches(out.path);
  });
  if (match != endpoints_.end())
    out.endpoint = static_cast<std::size_t>(match - endpoints_.begin());
  return out;
}

awaitable<Response> ApiServer::respond(Request& request,
                                       RequestInfo& info,
                                       Deadline deadline,
                                       std::string& user) {
  const Endpoint* endpoint = endpoint_of(info);
  // Probes come first: they must depend on nothing, and do not count as in flight.
  if (endpoint != nullptr && endpoint->access == Endpoint::Access::anyone)
    co_return endpoint->respond(request);

  // From here on, because a request that waits for a review occupies the server too.
  const InFlight counted(*this);
  Negotiation negotiation(request);
  // Before authentication, as in Kubernetes: an invalid timeout is a 400 for every caller.
  const auto timeout = timeout_of(request, info);
  if (!timeout) co_return finish_error(render(status_of(timeout.error())), info, negotiation);
  // capped() only shortens: no caller can wait for longer than the session allows.
  if (*timeout) deadline = deadline.capped(**timeout);

  // An HPA whose permission is cached passes without another coroutine frame.
  if (!try_admit_from_cache(request, info, user)) {
    auto rejection = co_await authenticate_and_authorize(request, info, deadline, user);
    if (rejection) co_return finish_error(std::move(*rejection), info, negotiation);
  }

  auto response = co_await route(request, info, negotiation, deadline);
  // Handlers encode values themselves; errors are JSON up to here.
  if (response.status < 400) co_return response;
  co_return finish_error(std::move(response), info, negotiation);
}

awaitable<Response> ApiServer::route(Request& request,
                                     RequestInfo& info,
                                     Negotiation& negotiation,
                                     Deadline deadline) {
  // Looked up again, because a reload during authorization replaces the table. The index stays
  // valid, see set_groups().
  if (const Endpoint* endpoint = endpoint_of(info)) return immediate(endpoint->respond(request));
  switch (info.route) {
    case Route::non_resource:
    case Route::unserved: return immediate(page_not_found());
    case Route::unknown_resource: return immediate(render(resource_not_found()));
    case Route::collection:
    case Route::explanation: break;
  }
  // After the route: an unknown path is 404 for every method, as in Kubernetes.
  if (request.method != "GET") return immediate(render(method_not_allowed()));
  return handlers_.at(info.group_version)->respond(request, info, negotiation, deadline);
}

bool ApiServer::try_admit_from_cache(const Request& request,
                                     const RequestInfo& info,
                                     std::string& user) {
  auto identity = identity_of(request, settings_.rules);
  // Without a user there may be a token, whose authentication may wait.
  if (!identity.caller) return false;
  const auto effective = effective_user(std::move(identity));
  if (is_over_limit(*effective) || !settings_.authorizer.allowed_from_cache(*effective, info))
    return false;
  user = effective->user;
  return true;
}

awaitable<std::optional<Response>> ApiServer::authenticate_and_authorize(Request& request,
                                                                         RequestInfo& info,
                                                                         Deadline deadline,
                                                                         std::string& user) {
  Identity identity = identity_of(request, settings_.rules);
  std::string token;
  // The first authenticator that names a user decides, so the token of a caller with a valid
  // certificate costs no TokenReview.
  if (!identity.caller && settings_.tokens != nullptr) token = bearer_token(request);
  if (!token.empty()) {
    auto token_user =
        co_await settings_.tokens->authenticate(scalers::Secret(std::move(token)), deadline);
    identity.caller = std::move(token_user);
    identity.is_error = true;  // has no effect when the token had a user
  }
  auto effective = effective_user(std::move(identity));
  if (!effective) co_return render(unauthorized());
  // Between authentication and authorization, as in Kubernetes: the limit has to know who is
  // privileged, and no review is spent on a request that is rejected.
  if (is_over_limit(*effective)) co_return render(too_many_requests());
  user = effective->user;
  const Decision decision =
      co_await settings_.authorizer.decide(std::move(*effective), info, deadline);
  // An authorizer that cannot decide is a 500, as in Kubernetes, never a permission.
  if (!decision.failure.empty()) co_return internal_error(request.target, decision.failure);
  if (decision.is_allowed) co_return std::nullopt;
  co_return render(forbidden(user, info, decision));
}

const Endpoint* ApiServer::endpoint_of(const RequestInfo& info) const {
  return info.endpoint == RequestInfo::kNone ? nullptr : &endpoints_.at(info.endpoint);
}

bool ApiServer::is_over_limit(const UserInfo& user) const {
  // in_flight_ includes this request, hence > and not >=.
  return settings_.max_in_flight > 0 && in_flight_ > settings_.max_in_flight &&
         !user.is_privileged();
}

}  // namespace weir::apiservice
