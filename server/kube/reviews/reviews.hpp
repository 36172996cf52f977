// One kind of review: verdicts cached for a while, identical reviews in flight joined (single
// flight), failures retried in the background. Shared by its owner and by the reviews in flight,
// which may outlive it; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/single_flight.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/reviews/review_asker.hpp"
#include "server/kube/reviews/review_cache.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace weir::server::cluster {

template <class Verdict>
struct ReviewKind {
  std::string name;  // "TokenReview"
  std::string path;
  std::function<scalers::Result<Verdict>(const std::string& reply)> parse;
  std::function<Duration(const Verdict&)> kept_for;  // zero: not at all
};

template <class Verdict>
class Reviews : public std::enable_shared_from_this<Reviews<Verdict>> {
 public:
  static constexpr std::size_t kMaxKept = 8192;
  static constexpr std::size_t kMaxInFlight = 512;

  // `client` and `clock` outlive every question.
  Reviews(Loop& loop, KubeClient& client, const Clock& clock, ReviewKind<Verdict> kind)
      : loop_(loop),
        clock_(clock),
        kind_(std::move(kind)),
        asker_(std::make_shared<ReviewAsker>(loop, client, clock, kind_.name, kind_.path)),
        cache_(kMaxKept),
        in_flight_(loop) {}

  // The verdict that is kept under `key`; nullptr when there is none. Good until the next call.
  [[nodiscard]] const Verdict* kept(const std::string& key) {
    return cache_.find(key, clock_.steady());
  }
  // The verdict on the question `body`, whose answer is kept under `key`, or not at all when that
  // is empty. Waits until `deadline` at most, while the question itself goes on for up to 10 s.
  // Errors: timed_out, overloaded (too many questions under way), what the parser says, and those
  // of ReviewAsker.
  [[nodiscard]] awaitable<scalers::Result<Verdict>> ask(std::string key,
                                                        std::string body,
                                                        Deadline deadline) {
    if (const Verdict* known = kept(key)) co_return *known;
    const SteadyTime now = clock_.steady();
    const auto review = join(key, std::move(body), deadline.left(now));
    if (!review) {
      co_return scalers::Error{scalers::Errc::overloaded,
                               "too many questions to the kube-apiserver are under way",
                               ""};
    }
    const bool is_done = co_await review->wait(deadline, now);
    if (!is_done) {
      co_return scalers::Error{scalers::Errc::timed_out,
                               "the kube-apiserver did not answer in time",
                               ""};
    }
    co_return review->value().value_or(
        scalers::Error{scalers::Errc::unreachable, "the question was given up", ""});
  }

  // No further tries: questions under way end with what they have.
  void close() { asker_->close(); }

 private:
  using InFlight = scalers::SingleFlight<std::string, scalers::Result<Verdict>>;
  using InFlightPtr = typename InFlight::InFlightPtr;

  // The review of this question, started unless it is in flight; nullptr: there are too many.
  InFlightPtr join(const std::string& key, std::string body, Duration budget) {
    const std::string name = key.empty() ? body : key;
    if (in_flight_.size() >= kMaxInFlight && !in_flight_.find(name)) return nullptr;
    const auto joined = in_flight_.join_or_start(name, clock_.steady(), budget);
    if (joined.is_started) {
      typename InFlight::Run run(joined.in_flight);
      boost::asio::co_spawn(
          loop_.get_executor(),
          run_review(this->shared_from_this(), name, !key.empty(), std::move(body), std::move(run)),
          rethrow);
    }
    return joined.in_flight;
  }

  static awaitable<void> run_review(std::shared_ptr<Reviews> self,
                                    std::string name,
                                    bool is_kept,
                                    std::string body,
                                    typename InFlight::Run run) {
    const auto reply = co_await self->asker_->ask(std::move(body));
    scalers::Result<Verdict> verdict = reply ? self->kind_.parse(*reply) : reply.error();
    if (verdict && is_kept) {
      const Duration span = self->kind_.kept_for(*verdict);
      if (span.count() > 0) self->cache_.keep(name, *verdict, self->clock_.steady() + span);
    }
    self->asker_->note(verdict ? std::nullopt : std::optional<scalers::Error>(verdict.error()));
    run.complete(std::move(verdict));
  }

  Loop& loop_;
  const Clock& clock_;
  ReviewKind<Verdict> kind_;
  std::shared_ptr<ReviewAsker> asker_;  // also owned by its own coroutine
  ReviewCache<Verdict> cache_;
  InFlight in_flight_;  // by key, or by body without one
};

}  // namespace weir::server::cluster
