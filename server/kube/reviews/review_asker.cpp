#include "server/kube/reviews/review_asker.hpp"

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

constexpr Duration kLongestQuestion{10'000};
constexpr int kTries = 5;
constexpr Backoff kBackoff{Duration{500}, 1.5, 0.2, kLongestQuestion};

}  // namespace

std::optional<Error> review_failure(long status) {
  if (status / 100 == 2) return std::nullopt;
  switch (status) {
    case 401:
      return Error{Errc::refused,
                   "the kube-apiserver does not know Weir's own account (401); is its token or "
                   "client certificate valid?",
                   ""};
    case 403:
      return Error{Errc::refused,
                   "the kube-apiserver does not let Weir ask (403); bind its service account to "
                   "the ClusterRole system:auth-delegator",
                   ""};
    default:
      return Error{Errc::bad_reply, fmt::format("the kube-apiserver answered {}", status), ""};
  }
}

bool is_worth_a_retry(long status) {
  return status == 429 || status == 500 || status == 503 || status == 504;
}

ReviewAsker::ReviewAsker(Loop& loop,
                         KubeClient& client,
                         const Clock& clock,
                         std::string name,
                         std::string path)
    : client_(client),
      clock_(clock),
      name_(std::move(name)),
      path_(std::move(path)),
      closing_(loop) {}

awaitable<Result<std::string>> ReviewAsker::ask(std::string body) {
  return ask_for(shared_from_this(), std::move(body));
}

awaitable<Result<std::string>> ReviewAsker::ask_for(std::shared_ptr<ReviewAsker> self,
                                                    std::string body) {
  const Deadline deadline = Deadline::after(self->clock_.steady(), kLongestQuestion);
  for (int tries = 0;; ++tries) {
    auto reply = co_await self->client_.post(self->path_, body, deadline);
    const auto failure =
        reply ? review_failure(reply->status) : std::optional<Error>(reply.error());
    if (!failure) co_return std::move(reply->body);
    const bool may_help =
        reply ? is_worth_a_retry(reply->status) : reply.error().code == Errc::unreachable;
    const double chance = std::generate_canonical<double, 32>(self->random_);
    const Duration pause = kBackoff.pause(tries, chance);
    const bool has_time = deadline.left(self->clock_.steady()) > pause;
    if (!may_help || tries + 1 == kTries || !has_time) co_return *failure;
    const bool is_closing = co_await self->closing_.wait(pause);
    if (is_closing) co_return *failure;
  }
}

void ReviewAsker::note(const std::optional<Error>& failure) {
  const bool is_failing = failure.has_value();
  if (is_failing == is_failing_) return;
  is_failing_ = is_failing;
  if (is_failing) {
    log(Level::warn,
        "reviews_failing",
        {{"kind", name_}, {"code", name_of(failure->code)}, {"reason", failure->message()}});
  } else {
    log(Level::info, "reviews_answered_again", {{"kind", name_}});
  }
}

}  // namespace weir::server::cluster
