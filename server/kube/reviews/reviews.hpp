// One kind of review: answers kept for a while, identical questions in flight joined, failures
// tried again in the background. Shared by its owner and by the questions under way, which may
// outlive it; loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"
#include "server/kube/client/client.hpp"
#include "server/kube/reviews/review_asker.hpp"
#include "server/kube/reviews/review_cache.hpp"

#include <boost/asio/co_spawn.hpp>

#include <cstddef>
#include <functional>
#include <map>
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
        cache_(kMaxKept) {}

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
    const auto flight = join(key, std::move(body));
    if (!flight) {
      co_return scalers::Error{scalers::Errc::overloaded,
                               "too many questions to the kube-apiserver are under way",
                               ""};
    }
    const bool is_done = co_await flight->done.wait(deadline.left(clock_.steady()));
    if (!is_done) {
      co_return scalers::Error{scalers::Errc::timed_out,
                               "the kube-apiserver did not answer in time",
                               ""};
    }
    co_return flight->verdict;
  }

  // No further tries: questions under way end with what they have.
  void close() { asker_->close(); }

 private:
  struct Flight {
    explicit Flight(Loop& loop) : done(loop) {}
    scalers::Signal done;
    scalers::Result<Verdict> verdict =
        scalers::Error{scalers::Errc::unreachable, "the question was given up", ""};
  };

  // The flight of this question, started unless it is under way; nullptr: there are too many.
  std::shared_ptr<Flight> join(const std::string& key, std::string body) {
    const std::string name = key.empty() ? body : key;
    if (const auto found = flights_.find(name); found != flights_.end()) return found->second;
    if (flights_.size() >= kMaxInFlight) return nullptr;
    auto flight = std::make_shared<Flight>(loop_);  // also owned by whoever waits for it
    flights_.emplace(name, flight);
    boost::asio::co_spawn(
        loop_.get_executor(),
        fly(this->shared_from_this(), name, !key.empty(), std::move(body), flight),
        rethrow);
    return flight;
  }

  static awaitable<void> fly(std::shared_ptr<Reviews> self,
                             std::string name,
                             bool is_kept,
                             std::string body,
                             std::shared_ptr<Flight> flight) {
    const auto reply = co_await self->asker_->ask(std::move(body));
    flight->verdict = reply ? self->kind_.parse(*reply) : reply.error();
    if (flight->verdict && is_kept) {
      const Duration span = self->kind_.kept_for(*flight->verdict);
      if (span.count() > 0) self->cache_.keep(name, *flight->verdict, self->clock_.steady() + span);
    }
    self->asker_->note(flight->verdict ? std::nullopt
                                       : std::optional<scalers::Error>(flight->verdict.error()));
    self->flights_.erase(name);
    flight->done.raise();
  }

  Loop& loop_;
  const Clock& clock_;
  ReviewKind<Verdict> kind_;
  std::shared_ptr<ReviewAsker> asker_;  // also owned by its own coroutine
  ReviewCache<Verdict> cache_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;  // by key, or by body without one
};

}  // namespace weir::server::cluster
