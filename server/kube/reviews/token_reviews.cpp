#include "server/kube/reviews/token_reviews.hpp"

#include "scalers/text/redact.hpp"
#include "server/crypto/digest.hpp"
#include "server/logging/log.hpp"

#include <utility>

namespace weir::server::cluster {
namespace {

// A request's answer is due in 2.5 s unless its metric says else: nobody waits longer to be known.
constexpr Duration kLongestWait{2'500};

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
              .kept_for = [span = settings.kept_for](const TokenVerdict&) { return span; }})) {}

std::string TokenReviews::key_of(const scalers::Secret& token) const {
  std::string whole = sha256(token.reveal());
  for (const std::string& audience : audiences_) whole += sha256(audience);
  return sha256(whole);
}

awaitable<std::optional<apiservice::UserInfo>> TokenReviews::authenticate(scalers::Secret token,
                                                                          Deadline deadline) {
  auto verdict = co_await reviews_->ask(key_of(token),
                                        token_review(token, audiences_),
                                        deadline.capped(kLongestWait));
  if (!verdict) co_return std::nullopt;
  if (!verdict->caller) {
    const std::vector<std::string> hidden{token.reveal()};
    log_often(Level::info,
              "token_refused",
              {{"reason", scalers::remote_text(verdict->why, hidden)}});
  }
  co_return std::move(verdict->caller);
}

}  // namespace weir::server::cluster
