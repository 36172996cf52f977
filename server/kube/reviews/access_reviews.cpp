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

constexpr std::size_t kMaxKeptBytes = 10'000;
// As of TokenReviews: an answer that comes later would come too late.
constexpr Duration kLongestWait{2'500};

bool matches(std::string_view path, std::string_view allowed) {
  if (allowed.ends_with('*')) return path.starts_with(allowed.substr(0, allowed.size() - 1));
  return path == allowed;
}

}  // namespace

bool is_always_allowed(const UserInfo& caller,
                       const RequestInfo& asked,
                       const std::vector<std::string>& paths) {
  if (caller.is_privileged()) return true;
  if (asked.is_resource) return false;
  return std::ranges::any_of(paths,
                             [&](const std::string& one) { return matches(asked.path, one); });
}

bool is_keepable(const RequestInfo& asked) {
  std::size_t size = 0;
  for (const auto* part : {&asked.name_space,
                           &asked.verb,
                           &asked.group,
                           &asked.version,
                           &asked.resource,
                           &asked.subresource,
                           &asked.name,
                           &asked.path})
    size += part->size();
  return size < kMaxKeptBytes;
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
              .kept_for =
                  [allowed = settings.allowed_kept_for,
                   denied = settings.denied_kept_for](const Decision& decision) {
                    return decision.is_allowed ? allowed : denied;
                  }})) {}

awaitable<Decision> AccessReviews::decide(UserInfo caller, RequestInfo asked, Deadline deadline) {
  if (is_always_allowed(caller, asked, always_allowed_paths_)) co_return Decision{true, "", ""};
  std::string key = is_keepable(asked) ? access_key(caller, asked) : std::string();
  if (const Decision* kept = reviews_->kept(key)) co_return *kept;
  auto decision = co_await reviews_->ask(std::move(key),
                                         access_review(caller, asked),
                                         deadline.capped(kLongestWait));
  if (decision) co_return std::move(*decision);
  co_return Decision{false, "", "SubjectAccessReview: " + decision.error().message()};
}

bool AccessReviews::allowed_from_cache(const UserInfo& caller, const RequestInfo& asked) {
  if (is_always_allowed(caller, asked, always_allowed_paths_)) return true;
  if (!is_keepable(asked)) return false;
  const Decision* kept = reviews_->kept(access_key(caller, asked));
  return kept != nullptr && kept->is_allowed;
}

}  // namespace weir::server::cluster
