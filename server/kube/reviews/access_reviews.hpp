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
  Duration allowed_kept_for{10'000};              // zero: not at all
  Duration denied_kept_for{10'000};               // zero: not at all
};

// What needs no review: the group system:masters, and the paths.
[[nodiscard]] bool is_always_allowed(const apiservice::UserInfo& caller,
                                     const apiservice::RequestInfo& asked,
                                     const std::vector<std::string>& paths);
// Whether the answer may be kept: attributes that a caller chooses freely are bounded.
[[nodiscard]] bool is_keepable(const apiservice::RequestInfo& asked);

class AccessReviews final : public apiservice::Authorizer {
 public:
  // `client` and `clock` outlive every question.
  AccessReviews(Loop& loop, KubeClient& client, const Clock& clock, AccessSettings settings);

  [[nodiscard]] awaitable<apiservice::Decision> decide(apiservice::UserInfo caller,
                                                       apiservice::RequestInfo asked,
                                                       Deadline deadline) override;
  [[nodiscard]] bool allowed_from_cache(const apiservice::UserInfo& caller,
                                        const apiservice::RequestInfo& asked) override;
  void close() { reviews_->close(); }

 private:
  std::vector<std::string> always_allowed_paths_;
  std::shared_ptr<Reviews<apiservice::Decision>> reviews_;  // also owned by questions under way
};

}  // namespace weir::server::cluster
