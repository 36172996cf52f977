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

// The limit of the webhook authorizer in k8s.io/apiserver.
constexpr std::size_t kMaxCachedBytes = 10'000;
// As in TokenReviews: after this time the deadline of most reads is over.
constexpr Duration kMaxWait{2'500};

bool matches(std::string_view path, std::string_view allowed) {
  // A star is a wildcard at the end only, as in Kubernetes.
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
  // Without the user and the groups, because a caller cannot choose them.
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
              // Kubernetes has a flag for each: a denial may expire earlier, so that a permission
              // that was granted takes effect sooner.
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
  // Nothing is ever cached under the empty key.
  std::string key = is_cacheable(attributes) ? access_key(caller, attributes) : std::string();
  // Looked up before access_review() builds JSON, because most requests end here.
  if (const Decision* cached = reviews_->cached(key)) co_return *cached;
  // A failed review denies: authorization never fails open. The limit counts from the start of the
  // request, so that both reviews of a request together have 2.5 s.
  auto decision = co_await reviews_->review(std::move(key),
                                            access_review(caller, attributes),
                                            deadline.capped(kMaxWait));
  if (decision) co_return std::move(*decision);
  // A failure, which becomes a 500 and not a 403, because the caller may have the permission.
  co_return Decision{false, "", "SubjectAccessReview: " + decision.error().message()};
}

bool AccessReviews::allowed_from_cache(const UserInfo& caller, const RequestInfo& attributes) {
  if (is_always_allowed(caller, attributes, always_allowed_paths_)) return true;
  if (!is_cacheable(attributes)) return false;
  const Decision* cached = reviews_->cached(access_key(caller, attributes));
  // decide() returns a cached denial, because it has the reason.
  return cached != nullptr && cached->is_allowed;
}

}  // namespace weir::server::cluster
