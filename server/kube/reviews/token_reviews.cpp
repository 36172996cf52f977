// Token authentication. Rejected tokens are logged rate-limited, because any client can send them.
#include "server/kube/reviews/token_reviews.hpp"

#include "scalers/text/redact.hpp"
#include "server/crypto/sha256.hpp"
#include "server/logging/log.hpp"

#include <utility>

namespace weir::server::cluster {
namespace {

// The default deadline of a metric is 2.5 s; authentication must not take longer. Counted from the
// start of the request.
constexpr Duration kMaxWait{2'500};

}  // namespace

TokenReviews::TokenReviews(Loop& loop,
                           KubeClient& client,
                           const Clock& clock,
                           TokenSettings settings)
    : audiences_(settings.audiences),
      reviews_(std::make_shared<Reviews<TokenVerdict>>(
          loop,
          client,
          clock,
          ReviewKind<TokenVerdict>{
              .name = "TokenReview",
              .path = "/apis/authentication.k8s.io/v1/tokenreviews",
              .parse =
                  [audiences = std::move(settings.audiences)](const std::string& reply) {
                    return parse_token_review(reply, audiences);
                  },
              .ttl = [span = settings.ttl](const TokenVerdict&) { return span; }})) {}

std::string TokenReviews::key_of(const scalers::Secret& token) const {
  // Digests have one length, so no two lists of audiences give the same text.
  std::string whole = sha256(token.reveal());
  for (const std::string& audience : audiences_) whole += sha256(audience);
  return sha256(whole);
}

awaitable<std::optional<apiservice::UserInfo>> TokenReviews::authenticate(scalers::Secret token,
                                                                          Deadline deadline) {
  auto verdict = co_await reviews_->review(key_of(token),
                                           token_review(token, audiences_),
                                           deadline.capped(kMaxWait));
  // A token that was not checked is not valid: the response is 401, as in Kubernetes.
  if (!verdict) co_return std::nullopt;
  if (!verdict->caller) {
    // An authenticator's error may repeat the token.
    const std::vector<std::string> redactions{token.reveal()};
    log_rate_limited(Level::info,
                     "token_refused",
                     {{"reason", scalers::remote_text(verdict->reason, redactions)}});
  }
  co_return std::move(verdict->caller);
}

}  // namespace weir::server::cluster
