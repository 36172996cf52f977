// Retries with exponential backoff, as client-go does for webhooks of the kube-apiserver.
#include "server/kube/reviews/review_client.hpp"

#include "server/kube/client/backoff.hpp"
#include "server/logging/log.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace weir::server::cluster {
namespace {

using scalers::Errc;
using scalers::Error;
using scalers::Result;

// The time, tries and pauses of the webhook clients in k8s.io/apiserver. The four pauses are
// shorter than 5 s together, so that half of the time remains for the responses.
constexpr Duration kMaxReviewTime{10'000};
constexpr int kMaxTries = 5;
constexpr Backoff kBackoff{Duration{500}, 1.5, 0.2, kMaxReviewTime};

}  // namespace

std::optional<Error> review_failure(long status) {
  // A review that was accepted has status 201 (Created).
  if (status / 100 == 2) return std::nullopt;
  switch (status) {
    case 401:
      return Error{Errc::refused,
                   "the kube-apiserver rejected the credentials of Weir's account (401); check its "
                   "token or client certificate",
                   ""};
    case 403:
      return Error{Errc::refused,
                   "Weir's account has no permission to create reviews (403); bind its service "
                   "account to the ClusterRole system:auth-delegator",
                   ""};
    default:
      return Error{Errc::bad_reply,
                   fmt::format("the kube-apiserver responded with HTTP {}", status),
                   ""};
  }
}

bool is_worth_a_retry(long status) {
  // The other statuses would be the same again: they are about the request or the account.
  return status == 429 || status == 500 || status == 503 || status == 504;
}

ReviewClient::ReviewClient(Loop& loop,
                           KubeClient& client,
                           const Clock& clock,
                           std::string name,
                           std::string path)
    : client_(client),
      clock_(clock),
      name_(std::move(name)),
      path_(std::move(path)),
      closing_(loop) {}

awaitable<Result<std::string>> ReviewClient::send(std::string body) {
  // The coroutine owns the client, because a review in flight may outlive the owner.
  return post_with_retries(shared_from_this(), std::move(body));
}

awaitable<Result<std::string>> ReviewClient::post_with_retries(std::shared_ptr<ReviewClient> self,
                                                               std::string body) {
  // Not the deadline of the caller: several callers may wait for this review.
  const Deadline deadline = Deadline::after(self->clock_.steady(), kMaxReviewTime);
  for (int tries = 0;; ++tries) {
    auto reply = co_await self->client_.post(self->path_, body, deadline);
    const auto failure =
        reply ? review_failure(reply->status) : std::optional<Error>(reply.error());
    if (!failure) co_return std::move(reply->body);
    // A timeout has used up the deadline; the causes of tls and bad_reply do not pass by
    // themselves.
    const bool is_retryable =
        reply ? is_worth_a_retry(reply->status) : reply.error().code == Errc::unreachable;
    // Jitter, so that the replicas of Weir do not retry at the same time.
    const double chance = std::generate_canonical<double, 32>(self->random_);
    const Duration pause = kBackoff.pause(tries, chance);
    // A pause beyond the deadline would only delay the error.
    const bool has_time = deadline.left(self->clock_.steady()) > pause;
    if (!is_retryable || tries + 1 == kMaxTries || !has_time) co_return *failure;
    const bool is_closing = co_await self->closing_.wait(pause);
    if (is_closing) co_return *failure;
  }
}

void ReviewClient::log_outcome(const std::optional<Error>& failure) {
  // Only changes are logged: while the kube-apiserver is down, every request has a failed review.
  const bool is_failing = failure.has_value();
  if (is_failing == is_failing_) return;
  is_failing_ = is_failing;
  if (is_failing) {
    log(Level::warn,
        "reviews_failing",
        {{"kind", name_}, {"code", name_of(failure->code)}, {"reason", failure->message()}});
  } else {
    log(Level::info, "reviews_recovered", {{"kind", name_}});
  }
}

}  // namespace weir::server::cluster
