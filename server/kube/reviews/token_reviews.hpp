// Authenticates bearer tokens with TokenReviews of the kube-apiserver. Owned by Cluster; loop
// thread only.
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
  Duration ttl{10'000};                // of valid and invalid tokens; zero: not cached
};

class TokenReviews final : public apiservice::TokenAuthenticator {
 public:
  // `client` and `clock` outlive every review in flight.
  TokenReviews(Loop& loop, KubeClient& client, const Clock& clock, TokenSettings settings);

  [[nodiscard]] awaitable<std::optional<apiservice::UserInfo>> authenticate(
      scalers::Secret token,
      Deadline deadline) override;
  void close() { reviews_->close(); }

 private:
  // The cache key: a digest, so that no token stays in memory.
  [[nodiscard]] std::string key_of(const scalers::Secret& token) const;

  std::vector<std::string> audiences_;
  std::shared_ptr<Reviews<TokenVerdict>> reviews_;  // second owner: reviews in flight
};

}  // namespace weir::server::cluster
