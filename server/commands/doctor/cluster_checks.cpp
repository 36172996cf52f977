// Runs the queries of `weir doctor` in an order in which each one tells the next what to read. The
// checks themselves are in the other files and are pure.
#include "server/commands/doctor/cluster_checks.hpp"

#include "apiservice/groups/external_values.hpp"
#include "scalers/settings/url.hpp"
#include "server/commands/doctor/certificate.hpp"
#include "server/kube/reviews/review_texts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace weir::server::doctor {
namespace {

using nlohmann::json;
using scalers::percent_encoded;
using scalers::Result;
using scalers::clients::HttpReply;

// Shorter than the whole, so that one query that hangs does not prevent the others.
constexpr Duration kMaxQueryTime{5'000};
// A page of a chunked list; kubectl uses 500, but an HPA is a large object.
constexpr int kAutoscalersAPage = 100;
constexpr int kMaxPages = 100;               // 10,000 HPAs, because a list may have no end
constexpr std::size_t kMaxDirectProbes = 3;  // 15 s if each one hangs, of the 25 s
// Each review is one query, and the kube-apiserver may limit Weir's rate.
constexpr std::size_t kMaxReviews = 50;

constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr const char* kSelfReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* kReviewPermission = "create subjectaccessreviews.authorization.k8s.io";
constexpr const char* kSelfReviewPermission =
    "create selfsubjectaccessreviews.authorization.k8s.io";

std::string api_service_title() { return fmt::format("APIService {}", api_service_name()); }

// HOST:PORT with brackets around an IPv6 address (RFC 3986, 3.2.2).
std::string authority_of(const std::string& host, std::int64_t port) {
  const bool is_v6 = host.find(':') != host.npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

std::string path_in(const ObjectName& name, std::string_view api, std::string_view resource) {
  return fmt::format("{}/namespaces/{}/{}", api, percent_encoded(name.name_space), resource);
}

}  // namespace

awaitable<Findings> ClusterChecks::run() {
  deadline_ = Deadline::after(clock_.steady(), kMaxCheckTime);
  // Without a reachable server every other query would fail with the same finding.
  const bool is_reached = co_await query_server();
  if (!is_reached) co_return std::move(findings_);
  co_await fetch_api_service();
  co_await fetch_service();
  co_await fetch_autoscalers();
  check_ownership();
  co_await fetch_endpoints();
  co_await probe_directly();
  co_await review_own_permissions();
  co_await review_reader_permissions();
  co_await fetch_discovery();
  if (autoscalers_) add(check_autoscalers(*autoscalers_, scope_.served));
  co_return std::move(findings_);
}

awaitable<bool> ClusterChecks::query_server() {
  const Query query{"kube-apiserver", "/version", "", ""};
  const auto reply = co_await send(query);
  if (auto finding = unreachable_server(query, reply)) {
    add(std::move(*finding));
    co_return false;
  }
  // A 403 is normal here: some clusters do not let every account read the version.
  const json version = json::parse(reply->body, nullptr, false);
  const std::string name = parse_version(version);
  add(ok(query.object, name.empty() ? "it responds" : "it responds, version " + name));
  co_return true;
}

awaitable<void> ClusterChecks::fetch_api_service() {
  const std::string path =
      fmt::format("/apis/apiregistration.k8s.io/v1/apiservices/{}", api_service_name());
  const ObjectReply reply =
      co_await fetch({api_service_title(), path, "", "get apiservices.apiregistration.k8s.io"});
  if (reply.is_missing) {
    add(error(api_service_title(),
              "it does not exist, so no HPA can read an external metric",
              "apply Weir's manifests"));
  }
  if (reply.body) api_service_ = parse_api_service(json::parse(*reply.body));
}

// The labels of a Service help to find out whether it is Weir's, so the Service that the APIService
// names is read first.
awaitable<void> ClusterChecks::fetch_service() {
  service_name_ = scope_.service;
  if (!service_name_ && api_service_) service_name_ = api_service_->service;
  if (!service_name_) co_return;  // neither the APIService nor the user names one
  const std::string object = "Service " + service_name_->text();
  const ObjectReply reply = co_await fetch(
      {object,
       path_in(*service_name_, "/api/v1", "services/" + percent_encoded(service_name_->name)),
       "",
       "get services in " + service_name_->name_space});
  if (reply.is_missing) {
    add(error(object,
              "it does not exist",
              "apply its manifests, or fix its name in the APIService or --service"));
    service_name_.reset();  // its endpoints are not checked either
  }
  if (reply.body) service_ = parse_service(json::parse(*reply.body));
}

awaitable<void> ClusterChecks::fetch_autoscalers() {
  std::vector<Autoscaler> all;
  std::string next;
  for (int page = 0; page < kMaxPages; ++page) {
    const std::string query =
        fmt::format("limit={}{}{}", kAutoscalersAPage, next.empty() ? "" : "&continue=", next);
    const ObjectReply reply =
        co_await fetch({"HPAs",
                        "/apis/autoscaling/v2/horizontalpodautoscalers",
                        query,
                        "list horizontalpodautoscalers.autoscaling in all namespaces"});
    if (reply.is_missing) {
      add(warning("HPAs",
                  "they could not be read: the cluster has no autoscaling/v2",
                  "use Kubernetes 1.23 or later"));
    }
    if (!reply.body) co_return;  // no HPA is checked, because a part would look complete
    // parse() cannot fail: fetch() has checked that the body is JSON.
    AutoscalerPage result = parse_autoscalers(json::parse(*reply.body));
    std::ranges::move(result.autoscalers, std::back_inserter(all));
    next = percent_encoded(result.next);
    if (next.empty()) break;  // this was the last page
  }
  if (!next.empty()) {
    add(warning("HPAs",
                fmt::format("only the first {} were checked", kAutoscalersAPage * kMaxPages),
                "check the others with kubectl get hpa"));
  }
  autoscalers_ = std::move(all);
}

void ClusterChecks::check_ownership() {
  if (!api_service_) return;  // fetch_api_service() has a finding
  // `service_` was read by the name in --service, which may not be the one in the APIService.
  const bool is_same_service = api_service_->service == service_name_;
  owner_ = owner_of(*api_service_, is_same_service ? service_ : std::nullopt, scope_.service);
  std::size_t scaled_objects = 0;
  if (autoscalers_) {
    scaled_objects = static_cast<std::size_t>(std::ranges::count_if(
        *autoscalers_,
        [](const Autoscaler& autoscaler) { return !autoscaler.scaled_object.empty(); }));
  }
  add(check_owner(owner_, *api_service_, scaled_objects));
  add(check_api_service(*api_service_));
  if (is_foreign()) {
    // The Service of another adapter is not checked, unless the user says that it is Weir's.
    if (!scope_.service) service_name_.reset();
    return;
  }
  add(check_ca_bundle(*api_service_, clock_.wall()));
}

awaitable<void> ClusterChecks::fetch_endpoints() {
  if (!service_name_ || !service_) co_return;
  // 443 is the default of the APIService.
  const std::int64_t port = api_service_ && !is_foreign() ? api_service_->port : 443;
  add(check_service(*service_name_, *service_, port));
  if (service_->type == "ExternalName") co_return;  // which has no endpoints
  const ObjectReply reply = co_await fetch(
      {"Service " + service_name_->text(),
       path_in(*service_name_, "/apis/discovery.k8s.io/v1", "endpointslices"),
       "labelSelector=" + percent_encoded("kubernetes.io/service-name=" + service_name_->name),
       "list endpointslices.discovery.k8s.io in " + service_name_->name_space});
  if (!reply.body) co_return;
  endpoints_ = parse_endpoints(json::parse(*reply.body));
  add(check_endpoints(*service_name_, *service_, port, endpoints_));
}

awaitable<void> ClusterChecks::probe_directly() {
  if (!scope_.server_host.empty()) {  // instead of the endpoints
    const bool is_reachable =
        co_await probe_target("server " + authority_of(scope_.server_host, scope_.server_port),
                              scope_.server_host,
                              scope_.server_port);
    static_cast<void>(is_reachable);
    co_return;
  }
  if (!service_name_ || !service_) co_return;
  const std::int64_t port = api_service_ && !is_foreign() ? api_service_->port : 443;
  std::vector<std::pair<std::string, std::int64_t>> targets;
  if (service_->type == "ExternalName") targets.emplace_back(service_->external_name, port);
  for (const Endpoint& endpoint : endpoints_) {
    const std::int64_t port_number = target_port(*service_, port, endpoint);
    if (endpoint.is_ready && port_number > 0) targets.emplace_back(endpoint.address, port_number);
  }
  targets.resize(std::min(targets.size(), kMaxDirectProbes));
  for (const auto& [host, port_number] : targets) {
    const bool is_reachable = co_await probe_target("endpoint " + authority_of(host, port_number),
                                                    host,
                                                    static_cast<std::uint16_t>(port_number));
    // From outside the cluster the other endpoints cannot be reached either.
    if (!is_reachable) co_return;
  }
}

// False when no connection is possible.
awaitable<bool> ClusterChecks::probe_target(std::string object,
                                            std::string host,
                                            std::uint16_t port) {
  // Without an APIService of Weir only dates and, with a known Service, the name are checked.
  ApiServiceObject expected = api_service_.value_or(ApiServiceObject{});
  if (is_foreign()) expected = {};  // its name and caBundle are not Weir's
  if (service_name_) expected.service = service_name_;
  const std::string server_name =
      expected.service
          ? fmt::format("{}.{}.svc", expected.service->name, expected.service->name_space)
          : host;
  const auto probe_result =
      co_await probe(loop_, resolver_, {host, port, server_name}, next_deadline());
  if (!probe_result) {
    const bool is_requested = !scope_.server_host.empty();
    add(Finding{is_requested ? Severity::error : Severity::warning,
                std::move(object),
                "its certificate and /readyz could not be checked from here: " +
                    probe_result.error().message(),
                is_requested
                    ? "fix --server HOST:PORT"
                    : "run kubectl port-forward to a pod and set --server 127.0.0.1:PORT, or "
                      "run weir doctor in a pod of Weir"});
    co_return false;
  }
  add(check_chain(object, probe_result->chain, expected, clock_.wall()));
  add(check_readiness(object, *probe_result));
  co_return true;
}

// The service account of the first pod of the Service.
awaitable<void> ClusterChecks::fetch_account() {
  const auto entry = std::ranges::find_if(endpoints_, [](const Endpoint& endpoint) {
    return !endpoint.pod.empty();
  });
  if (entry == endpoints_.end() || !service_name_) co_return;
  const std::string object = fmt::format("Pod {}/{}", service_name_->name_space, entry->pod);
  const ObjectReply reply =
      co_await fetch({object,
                      path_in(*service_name_, "/api/v1", "pods/" + percent_encoded(entry->pod)),
                      "",
                      "get pods in " + service_name_->name_space});
  if (!reply.body) co_return;  // the caller adds the finding
  const std::string account = parse_account(json::parse(*reply.body));
  if (!account.empty()) scope_.account = ObjectName{service_name_->name_space, account};
}

awaitable<void> ClusterChecks::review_own_permissions() {
  if (!scope_.account && !scope_.is_own_account) {
    if (!service_name_) co_return;  // without a Service of Weir, which is a finding already
    co_await fetch_account();
  }
  if (!scope_.account && !scope_.is_own_account) {
    add(warning("Weir's account",
                "its permissions could not be checked: its name is not known",
                "set --service-account NAMESPACE/NAME"));
    co_return;
  }
  Subject subject{"Weir's account (this one)", std::nullopt};
  if (scope_.account) {
    auto user = service_account_user(*scope_.account);
    subject = {"account " + user.user, std::move(user)};
  }
  const std::string object = subject.object;
  const auto decisions = co_await review(std::move(subject), own_permissions());
  add(check_permissions(object, decisions));
}

// A set, because several HPAs may use one metric.
std::vector<Permission> ClusterChecks::permissions_in_use() const {
  std::set<std::pair<std::string, std::string>> pairs;
  if (autoscalers_) {
    for (const Autoscaler& autoscaler : *autoscalers_) {
      for (const ExternalUse& use : autoscaler.uses)
        pairs.emplace(autoscaler.name.name_space, use.metric);
    }
  }
  std::vector<Permission> out;
  for (const auto& [name_space, metric] : pairs) out.push_back(read_permission(metric, name_space));
  return out;
}

awaitable<void> ClusterChecks::review_reader_permissions() {
  // The account of the HPA controller in clusters with --use-service-account-credentials.
  apiservice::UserInfo caller = service_account_user({"kube-system", "horizontal-pod-autoscaler"});
  const Subject subject{"account " + caller.user, std::move(caller)};
  std::vector<Permission> permissions{read_permission("*", "")};
  auto decisions = co_await review(subject, permissions);
  // Without the permission for all metrics the account may still have it for each metric in use.
  const bool is_decided = decisions.empty() || decisions.front().decision.is_allowed;
  permissions = permissions_in_use();
  const std::size_t in_use = permissions.size();
  if (in_use > kMaxReviews) permissions.resize(kMaxReviews);
  if (!is_decided && !permissions.empty())
    decisions = co_await review(subject, std::move(permissions));
  if (!is_decided && !decisions.empty() && in_use > kMaxReviews) {
    add(warning(
        subject.object,
        fmt::format("only the first {} of the {} metrics in use were checked", kMaxReviews, in_use),
        fmt::format("grant list on *.{}, or check the others with kubectl auth can-i --as {}",
                    apiservice::kExternalGroup,
                    subject.caller->user)));
  }
  add(check_permissions(subject.object, decisions));
}

awaitable<void> ClusterChecks::fetch_discovery() {
  const ObjectReply reply = co_await fetch(
      {api_service_title(),
       fmt::format("/apis/{}/{}", apiservice::kExternalGroup, apiservice::kExternalVersion),
       "",
       "get the path /apis/*"});
  // The discovery of another adapter is not checked: KEDA lists one resource for all its metrics.
  if (!reply.body || is_foreign()) co_return;
  scope_.served.listed = parse_resources(json::parse(*reply.body));
  add(check_discovery(*scope_.served.listed, scope_.served));
}

awaitable<std::vector<PermissionDecision>> ClusterChecks::review(
    Subject subject,
    std::vector<Permission> permissions) {
  std::vector<PermissionDecision> out;
  for (Permission& permission : permissions) {
    // Every authenticated account may create self reviews by default (system:basic-user).
    const bool is_self = !subject.caller;
    const std::string body = is_self
                                 ? cluster::self_access_review(permission.attributes)
                                 : cluster::access_review(*subject.caller, permission.attributes);
    const ObjectReply reply = co_await fetch({subject.object,
                                              is_self ? kSelfReviews : kReviews,
                                              "",
                                              is_self ? kSelfReviewPermission : kReviewPermission,
                                              body});
    if (reply.is_missing) {
      add(warning(
          subject.object,
          "its permissions could not be checked: the kube-apiserver has no authorization.k8s.io/v1",
          "check whether a proxy responds instead of the kube-apiserver"));
    }
    if (!reply.body) co_return std::vector<PermissionDecision>{};
    auto decision = is_self ? cluster::parse_self_access_review(*reply.body)
                            : cluster::parse_access_review(*reply.body);
    if (!decision) {
      add(warning(subject.object,
                  "its permissions could not be checked: " + decision.error().message(),
                  "check whether a proxy responds instead of the kube-apiserver"));
      co_return std::vector<PermissionDecision>{};
    }
    out.push_back({std::move(permission), std::move(*decision)});
  }
  co_return out;
}

awaitable<ClusterChecks::ObjectReply> ClusterChecks::fetch(Query query) {
  const auto reply = co_await send(query);
  if (auto finding = unreadable(query, reply)) {
    add(std::move(*finding));
    co_return ObjectReply{};
  }
  // What a missing object means depends on the object, so the caller adds the finding.
  if (reply->status == 404) co_return ObjectReply{.is_missing = true};
  co_return ObjectReply{.body = reply->body};
}

awaitable<Result<HttpReply>> ClusterChecks::send(Query query) {
  if (query.body.empty()) {
    auto reply = co_await kube_.get(query.path, query.query, next_deadline());
    co_return reply;
  }
  auto reply = co_await kube_.post(query.path, query.body, next_deadline());
  co_return reply;
}

Deadline ClusterChecks::next_deadline() const {
  const SteadyTime now = clock_.steady();
  return Deadline::after(now, std::min(kMaxQueryTime, deadline_.left(now)));
}

void ClusterChecks::add(Findings findings) {
  findings_.insert(findings_.end(),
                   std::make_move_iterator(findings.begin()),
                   std::make_move_iterator(findings.end()));
}

}  // namespace weir::server::doctor
