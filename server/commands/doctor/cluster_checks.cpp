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

constexpr Duration kLongestQuestion{5'000};
constexpr int kAutoscalersAPage = 100;
constexpr int kMaxPages = 100;
constexpr std::size_t kMaxDirectLooks = 3;
constexpr std::size_t kMaxReviews = 50;

constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr const char* kSelfReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* kReviewRight = "create subjectaccessreviews.authorization.k8s.io";
constexpr const char* kSelfReviewRight = "create selfsubjectaccessreviews.authorization.k8s.io";

std::string api_service_object() { return fmt::format("APIService {}", kApiServiceName); }

std::string authority_of(const std::string& host, std::int64_t port) {
  const bool is_v6 = host.find(':') != host.npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

std::string path_in(const ObjectName& name, std::string_view api, std::string_view resource) {
  return fmt::format("{}/namespaces/{}/{}", api, percent_encoded(name.name_space), resource);
}

}  // namespace

awaitable<Findings> Examination::run() {
  whole_ = Deadline::after(clock_.steady(), kLongestExamination);
  const bool is_reached = co_await look_at_server();
  if (!is_reached) co_return std::move(findings_);
  co_await look_at_api_service();
  co_await look_at_service();
  co_await look_at_autoscalers();
  judge_who_owns();
  co_await look_at_endpoints();
  co_await look_directly();
  co_await look_at_own_rights();
  co_await look_at_reading_rights();
  co_await look_at_discovery();
  if (autoscalers_) add(judge_autoscalers(*autoscalers_, scope_.served));
  co_return std::move(findings_);
}

awaitable<bool> Examination::look_at_server() {
  const Question question{"kube-apiserver", "/version", "", ""};
  const auto reply = co_await send(question);
  if (auto finding = unreachable_server(question, reply)) {
    add(std::move(*finding));
    co_return false;
  }
  const json version = json::parse(reply->body, nullptr, false);
  const std::string name = parse_version(version);
  add(ok(question.object, name.empty() ? "it answers" : "it answers, " + name));
  co_return true;
}

awaitable<void> Examination::look_at_api_service() {
  const std::string path =
      fmt::format("/apis/apiregistration.k8s.io/v1/apiservices/{}", kApiServiceName);
  const Seen seen =
      co_await ask({api_service_object(), path, "", "get apiservices.apiregistration.k8s.io"});
  if (seen.is_missing) {
    add(error(api_service_object(),
              "it does not exist, so no HPA can read an external metric",
              "apply Weir's manifests"));
  }
  if (seen.body) api_service_ = parse_api_service(json::parse(*seen.body));
}

// Which Service is Weir's is told by its labels too, so the one that is named is read first.
awaitable<void> Examination::look_at_service() {
  service_name_ = scope_.service;
  if (!service_name_ && api_service_) service_name_ = api_service_->service;
  if (!service_name_) co_return;
  const std::string object = "Service " + service_name_->text();
  const Seen seen = co_await ask(
      {object,
       path_in(*service_name_, "/api/v1", "services/" + percent_encoded(service_name_->name)),
       "",
       "get services in " + service_name_->name_space});
  if (seen.is_missing) {
    add(error(object,
              "it does not exist",
              "apply the manifests that it belongs to, or mend what names it"));
    service_name_.reset();
  }
  if (seen.body) service_ = parse_service(json::parse(*seen.body));
}

awaitable<void> Examination::look_at_autoscalers() {
  std::vector<Autoscaler> all;
  std::string next;
  for (int page = 0; page < kMaxPages; ++page) {
    const std::string query =
        fmt::format("limit={}{}{}", kAutoscalersAPage, next.empty() ? "" : "&continue=", next);
    const Seen seen = co_await ask({"HPAs",
                                    "/apis/autoscaling/v2/horizontalpodautoscalers",
                                    query,
                                    "list horizontalpodautoscalers.autoscaling in all namespaces"});
    if (seen.is_missing) {
      add(warning("HPAs",
                  "they could not be looked at: the cluster has no autoscaling/v2",
                  "Kubernetes 1.23 and later have it"));
    }
    if (!seen.body) co_return;
    AutoscalerPage read = parse_autoscalers(json::parse(*seen.body));
    std::ranges::move(read.autoscalers, std::back_inserter(all));
    next = percent_encoded(read.next);
    if (next.empty()) break;
  }
  if (!next.empty()) {
    add(warning("HPAs",
                fmt::format("only the first {} were looked at", kAutoscalersAPage * kMaxPages),
                "look at the others with kubectl get hpa"));
  }
  autoscalers_ = std::move(all);
}

void Examination::judge_who_owns() {
  if (!api_service_) return;
  const bool is_named_one = api_service_->service == service_name_;
  owner_ = owner_of(*api_service_, is_named_one ? service_ : std::nullopt, scope_.service);
  std::size_t scaled_objects = 0;
  if (autoscalers_) {
    scaled_objects =
        static_cast<std::size_t>(std::ranges::count_if(*autoscalers_, [](const Autoscaler& one) {
          return !one.scaled_object.empty();
        }));
  }
  add(judge_owner(owner_, *api_service_, scaled_objects));
  add(judge_api_service(*api_service_));
  if (is_foreign()) {
    if (!scope_.service) service_name_.reset();
    return;
  }
  add(judge_ca_bundle(*api_service_, clock_.wall()));
}

awaitable<void> Examination::look_at_endpoints() {
  if (!service_name_ || !service_) co_return;
  const std::int64_t port = api_service_ && !is_foreign() ? api_service_->port : 443;
  add(judge_service(*service_name_, *service_, port));
  if (service_->type == "ExternalName") co_return;
  const Seen seen = co_await ask(
      {"Service " + service_name_->text(),
       path_in(*service_name_, "/apis/discovery.k8s.io/v1", "endpointslices"),
       "labelSelector=" + percent_encoded("kubernetes.io/service-name=" + service_name_->name),
       "list endpointslices.discovery.k8s.io in " + service_name_->name_space});
  if (!seen.body) co_return;
  endpoints_ = parse_endpoints(json::parse(*seen.body));
  add(judge_endpoints(*service_name_, *service_, port, endpoints_));
}

awaitable<void> Examination::look_directly() {
  if (!scope_.server_host.empty()) {
    const bool is_there =
        co_await look_at_one("server " + authority_of(scope_.server_host, scope_.server_port),
                             scope_.server_host,
                             scope_.server_port);
    static_cast<void>(is_there);
    co_return;
  }
  if (!service_name_ || !service_) co_return;
  const std::int64_t port = api_service_ && !is_foreign() ? api_service_->port : 443;
  std::vector<std::pair<std::string, std::int64_t>> targets;
  if (service_->type == "ExternalName") targets.emplace_back(service_->external_name, port);
  for (const Endpoint& endpoint : endpoints_) {
    const std::int64_t dialled = dialled_port(*service_, port, endpoint);
    if (endpoint.is_ready && dialled > 0) targets.emplace_back(endpoint.address, dialled);
  }
  targets.resize(std::min(targets.size(), kMaxDirectLooks));
  for (const auto& [host, dialled] : targets) {
    const bool is_there = co_await look_at_one("endpoint " + authority_of(host, dialled),
                                               host,
                                               static_cast<std::uint16_t>(dialled));
    if (!is_there) co_return;  // from outside the cluster the next one is as far away
  }
}

// False when it cannot be dialled.
awaitable<bool> Examination::look_at_one(std::string object, std::string host, std::uint16_t port) {
  ApiServiceObject expected = api_service_.value_or(ApiServiceObject{});
  if (is_foreign()) expected = {};
  if (service_name_) expected.service = service_name_;
  const std::string server_name =
      expected.service
          ? fmt::format("{}.{}.svc", expected.service->name, expected.service->name_space)
          : host;
  const auto look = co_await look_at(loop_, resolver_, {host, port, server_name}, next_deadline());
  if (!look) {
    const bool is_asked_for = !scope_.server_host.empty();
    add(Finding{
        is_asked_for ? Severity::error : Severity::warning,
        std::move(object),
        "its certificate and /readyz could not be looked at from here: " + look.error().message(),
        is_asked_for ? "mend --server HOST:PORT"
                     : "kubectl port-forward to a pod and give --server 127.0.0.1:PORT, or "
                       "run the doctor in a pod of Weir's"});
    co_return false;
  }
  add(judge_chain(object, look->chain, expected, clock_.wall()));
  add(judge_readiness(object, *look));
  co_return true;
}

// The account of the first pod behind the Service.
awaitable<void> Examination::find_account() {
  const auto found = std::ranges::find_if(endpoints_, [](const Endpoint& endpoint) {
    return !endpoint.pod.empty();
  });
  if (found == endpoints_.end() || !service_name_) co_return;
  const std::string object = fmt::format("Pod {}/{}", service_name_->name_space, found->pod);
  const Seen seen =
      co_await ask({object,
                    path_in(*service_name_, "/api/v1", "pods/" + percent_encoded(found->pod)),
                    "",
                    "get pods in " + service_name_->name_space});
  if (!seen.body) co_return;
  const std::string account = parse_account(json::parse(*seen.body));
  if (!account.empty()) scope_.account = ObjectName{service_name_->name_space, account};
}

awaitable<void> Examination::look_at_own_rights() {
  if (!scope_.account && !scope_.is_own_account) {
    if (!service_name_) co_return;  // there is no Weir to look at, and that is told already
    co_await find_account();
  }
  if (!scope_.account && !scope_.is_own_account) {
    add(warning("Weir's account",
                "whether it has its rights could not be looked at: its name is not known",
                "give --service-account NAMESPACE/NAME"));
    co_return;
  }
  Subject subject{"Weir's account, which asks", std::nullopt};
  if (scope_.account) {
    auto caller = caller_of(*scope_.account);
    subject = {"account " + caller.user, std::move(caller)};
  }
  const std::string object = subject.object;
  const auto judged = co_await review(std::move(subject), own_rights());
  add(judge_rights(object, judged));
}

std::vector<Right> Examination::rights_in_use() const {
  std::set<std::pair<std::string, std::string>> pairs;
  if (autoscalers_) {
    for (const Autoscaler& autoscaler : *autoscalers_) {
      for (const ExternalUse& use : autoscaler.uses)
        pairs.emplace(autoscaler.name.name_space, use.metric);
    }
  }
  std::vector<Right> out;
  for (const auto& [name_space, metric] : pairs) out.push_back(reading_right(metric, name_space));
  return out;
}

awaitable<void> Examination::look_at_reading_rights() {
  apiservice::UserInfo caller = caller_of({"kube-system", "horizontal-pod-autoscaler"});
  const Subject subject{"account " + caller.user, std::move(caller)};
  std::vector<Right> rights{reading_right("*", "")};
  auto judged = co_await review(subject, rights);
  // Without the right to everything it may still have each one that is used.
  const bool is_told = judged.empty() || judged.front().decision.is_allowed;
  rights = rights_in_use();
  const std::size_t in_use = rights.size();
  if (in_use > kMaxReviews) rights.resize(kMaxReviews);
  if (!is_told && !rights.empty()) judged = co_await review(subject, std::move(rights));
  if (!is_told && !judged.empty() && in_use > kMaxReviews) {
    add(warning(
        subject.object,
        fmt::format("only the first {} of the {} metrics in use were looked at",
                    kMaxReviews,
                    in_use),
        fmt::format("grant list on *.{}, or look at the others with kubectl auth can-i --as {}",
                    apiservice::kExternalGroup,
                    subject.caller->user)));
  }
  add(judge_rights(subject.object, judged));
}

awaitable<void> Examination::look_at_discovery() {
  const Seen seen = co_await ask(
      {api_service_object(),
       fmt::format("/apis/{}/{}", apiservice::kExternalGroup, apiservice::kExternalVersion),
       "",
       "get the path /apis/*"});
  // What a foreign one lists need not be what it serves: KEDA lists one name for all.
  if (!seen.body || is_foreign()) co_return;
  scope_.served.listed = parse_resources(json::parse(*seen.body));
  add(judge_discovery(*scope_.served.listed, scope_.served));
}

awaitable<std::vector<Judged>> Examination::review(Subject subject, std::vector<Right> rights) {
  std::vector<Judged> out;
  for (Right& right : rights) {
    const bool is_self = !subject.caller;
    const std::string body = is_self ? cluster::self_access_review(right.asked)
                                     : cluster::access_review(*subject.caller, right.asked);
    const Seen seen = co_await ask({subject.object,
                                    is_self ? kSelfReviews : kReviews,
                                    "",
                                    is_self ? kSelfReviewRight : kReviewRight,
                                    body});
    if (seen.is_missing) {
      add(warning(subject.object,
                  "it could not be looked at: the kube-apiserver has no authorization.k8s.io/v1",
                  "look whether a proxy answers in the kube-apiserver's place"));
    }
    if (!seen.body) co_return std::vector<Judged>{};
    auto decision = is_self ? cluster::parse_self_access_review(*seen.body)
                            : cluster::parse_access_review(*seen.body);
    if (!decision) {
      add(warning(subject.object,
                  "it could not be looked at: " + decision.error().message(),
                  "look whether a proxy answers in the kube-apiserver's place"));
      co_return std::vector<Judged>{};
    }
    out.push_back({std::move(right), std::move(*decision)});
  }
  co_return out;
}

awaitable<Examination::Seen> Examination::ask(Question question) {
  const auto reply = co_await send(question);
  if (auto finding = unseen(question, reply)) {
    add(std::move(*finding));
    co_return Seen{};
  }
  if (reply->status == 404) co_return Seen{.is_missing = true};
  co_return Seen{.body = reply->body};
}

awaitable<Result<HttpReply>> Examination::send(Question question) {
  if (question.body.empty()) {
    auto got = co_await kube_.get(question.path, question.query, next_deadline());
    co_return got;
  }
  auto posted = co_await kube_.post(question.path, question.body, next_deadline());
  co_return posted;
}

Deadline Examination::next_deadline() const {
  const SteadyTime now = clock_.steady();
  return Deadline::after(now, std::min(kLongestQuestion, whole_.left(now)));
}

void Examination::add(Findings findings) {
  findings_.insert(findings_.end(),
                   std::make_move_iterator(findings.begin()),
                   std::make_move_iterator(findings.end()));
}

}  // namespace weir::server::doctor
