// Bearer tokens judged by the kube-apiserver. Owned by Cluster; loop thread only.
#pragma once

#include "apiservice/auth/identity.hpp"
#include "server/kube/reviews/review_texts.hpp"
#include "server/kube/reviews/reviews.hpp"

#include <memory>
#include <string>
#include <vector>

namespace weir::server::cluster {

struct TokenSettings {
  std::vector<std::string> audiences;  // empty: those of the kube-apiserver
  Duration kept_for{10'000};           // good and bad verdicts; zero: not at all
};

class TokenReviews final : public apiservice::TokenAuthenticator {
 public:
  // `client` and `clock` outlive every question.
  TokenReviews(Loop& loop, KubeClient& client, const Clock& clock, TokenSettings settings);

  [[nodiscard]] awaitable<std::optional<apiservice::UserInfo>> authenticate(
      scalers::Secret token,
      Deadline deadline) override;
  void close() { reviews_->close(); }

 private:
  // The verdict's key: no token is kept, and none is told from its neighbour by less than all of
  // its bytes.
  [[nodiscard]] std::string key_of(const scalers::Secret& token) const;

  std::vector<std::string> audiences_;
  std::shared_ptr<Reviews<TokenVerdict>> reviews_;  // also owned by the questions under way
};

}  // namespace weir::server::cluster
