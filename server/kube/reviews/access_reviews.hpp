// Decisions by the kube-apiserver's SubjectAccessReview. Owned by Cluster; loop thread only.
#pragma once

#include "apiservice/auth/access.hpp"
#include "server/kube/reviews/reviews.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::server::cluster {

struct AccessSettings {
  std::vector<std::string> always_allowed_paths;  // of non-resource requests; PREFIX* too
  Duration allowed_ttl{10'000};                   // zero: not cached
  Duration denied_ttl{10'000};                    // zero: not cached
};

// Whether the request needs no review: the group system:masters, and the paths.
[[nodiscard]] bool is_always_allowed(const apiservice::UserInfo& caller,
                                     const apiservice::RequestInfo& attributes,
                                     const std::vector<std::string>& paths);
// Whether the decision may be cached. Attributes come from callers, so their size is bounded.
[[nodiscard]] bool is_cacheable(const apiservice::RequestInfo& attributes);

class AccessReviews final : public apiservice::Authorizer {
 public:
  // `client` and `clock` outlive every review in flight.
  AccessReviews(Loop& loop, KubeClient& client, const Clock& clock, AccessSettings settings);

  [[nodiscard]] awaitable<apiservice::Decision> decide(apiservice::UserInfo caller,
                                                       apiservice::RequestInfo attributes,
                                                       Deadline deadline) override;
  [[nodiscard]] bool allowed_from_cache(const apiservice::UserInfo& caller,
                                        const apiservice::RequestInfo& attributes) override;
  void close() { reviews_->close(); }

 private:
  std::vector<std::string> always_allowed_paths_;
  std::shared_ptr<Reviews<apiservice::Decision>> reviews_;  // second owner: reviews in flight
};

}  // namespace weir::server::cluster
