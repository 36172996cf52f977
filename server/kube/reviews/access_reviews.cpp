// Authorization by SubjectAccessReview, with the rules and limits of k8s.io/apiserver's webhook.
#include "server/kube/reviews/access_reviews.hpp"

#include "server/kube/reviews/review_texts.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace weir::server::cluster {
namespace {

using apiservice::Decision;
using apiservice::RequestInfo;
using apiservice::UserInfo;

constexpr std::size_t kMaxCachedBytes = 10'000;
// As in TokenReviews: after this time the deadline of most reads is over.
constexpr Duration kMaxWait{2'500};

bool matches(std::string_view path, std::string_view allowed) {
  if (allowed.ends_with('*')) return path.starts_with(allowed.substr(0, allowed.size() - 1));
  return path == allowed;
}

}  // namespace

bool is_always_allowed(const UserInfo& caller,
                       const RequestInfo& attributes,
                       const std::vector<std::string>& paths) {
  if (caller.is_privileged()) return true;
  // As in Kubernetes, the paths apply to non-resource requests only.
  if (attributes.is_resource) return false;
  return std::ranges::any_of(paths, [&](const std::string& allowed) {
    return matches(attributes.path, allowed);
  });
}

bool is_cacheable(const RequestInfo& attributes) {
  std::size_t size = 0;
  for (const auto* part : {&attributes.name_space,
                           &attributes.verb,
                           &attributes.group,
                           &attributes.version,
                           &attributes.resource,
                           &attributes.subresource,
                           &attributes.name,
                           &attributes.path})
    size += part->size();
  return size < kMaxCachedBytes;
}

AccessReviews::AccessReviews(Loop& loop,
                             KubeClient& client,
                             const Clock& clock,
                             AccessSettings settings)
    : always_allowed_paths_(std::move(settings.always_allowed_paths)),
      reviews_(std::make_shared<Reviews<Decision>>(
          loop,
          client,
          clock,
          ReviewKind<Decision>{
              .name = "SubjectAccessReview",
              .path = "/apis/authorization.k8s.io/v1/subjectaccessreviews",
              .parse = [](const std::string& reply) { return parse_access_review(reply); },
              .ttl =
                  [allowed = settings.allowed_ttl,
                   denied = settings.denied_ttl](const Decision& decision) {
                    return decision.is_allowed ? allowed : denied;
                  }})) {}

awaitable<Decision> AccessReviews::decide(UserInfo caller,
                                          RequestInfo attributes,
                                          Deadline deadline) {
  if (is_always_allowed(caller, attributes, always_allowed_paths_))
    co_return Decision{true, "", ""};
  std::string key = is_cacheable(attributes) ? access_key(caller, attributes) : std::string();
  if (const Decision* cached = reviews_->cached(key)) co_return *cached;
  // A failed review denies: authorization never fails open.
  auto decision = co_await reviews_->review(std::move(key),
                                            access_review(caller, attributes),
                                            deadline.capped(kMaxWait));
  if (decision) co_return std::move(*decision);
  co_return Decision{false, "", "SubjectAccessReview: " + decision.error().message()};
}

bool AccessReviews::allowed_from_cache(const UserInfo& caller, const RequestInfo& attributes) {
  if (is_always_allowed(caller, attributes, always_allowed_paths_)) return true;
  if (!is_cacheable(attributes)) return false;
  const Decision* cached = reviews_->cached(access_key(caller, attributes));
  return cached != nullptr && cached->is_allowed;
}

}  // namespace weir::server::cluster
