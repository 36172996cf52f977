// Who runs, who waits and who is refused, apart from the queries themselves, because fairness
// between namespaces is decided here alone.
#include "scalers/read/concurrency_limiter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace weir::scalers::read {

// A place in the queue. It is given up also when the loop destroys the frame that waits, which may
// happen after the limiter's other owners are gone.
struct ConcurrencyLimiter::Waiter {
  Waiter(std::shared_ptr<ConcurrencyLimiter> shared, std::string from)
      : limiter(std::move(shared)), name_space(std::move(from)), decided(limiter->loop_) {
    limiter->waiting_[name_space].push_back(this);
    ++limiter->waiting_count_;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    const auto queue = limiter->waiting_.find(name_space);
    if (queue != limiter->waiting_.end()) limiter->remove(queue, this);
  }

  std::shared_ptr<ConcurrencyLimiter> limiter;  // second owner: the waiting coroutine
  std::string name_space;
  Signal decided;  // it has a permit, or has to make room
  bool is_refused = false;
};

std::optional<ConcurrencyLimiter::Permit> ConcurrencyLimiter::try_acquire(
    const std::string& name_space) {
  // A place that the namespace may take means that none of its queries waits, because release()
  // hands a place straight to a waiter.
  if (!may_take(held_by(name_space))) return std::nullopt;
  take(name_space);
  served_ = name_space;
  return Permit(shared_from_this(), name_space);
}

awaitable<Result<ConcurrencyLimiter::Permit>> ConcurrencyLimiter::acquire(std::string name_space,
                                                                          Deadline deadline,
                                                                          SteadyTime now) {
  if (auto permit = try_acquire(name_space)) co_return std::move(*permit);
  if (waiting_count_ >= max_waiting_ && !make_room(name_space)) co_return overloaded();
  Waiter waiter(shared_from_this(), std::move(name_space));
  const bool is_decided = co_await waiter.decided.wait(deadline.left(now));
  // Asked first, because a waiter that has to make room is woken like one that gets a permit.
  if (waiter.is_refused) co_return overloaded();
  if (is_decided) co_return Permit(shared_from_this(), waiter.name_space);
  co_return Error{Errc::timed_out, "still queued, " + limit_text(), ""};
}

std::string ConcurrencyLimiter::limit_text() const {
  if (in_flight_ >= max_in_flight_) return fmt::format("maxInFlight {} is reached", max_in_flight_);
  return fmt::format("the namespace has its share of maxInFlight {}, {} queries",
                     max_in_flight_,
                     max_in_flight_ - reserve_);
}

Error ConcurrencyLimiter::overloaded() const {
  return {
      Errc::overloaded,
      fmt::format("queries in flight: {}, waiting: {}; raise maxInFlight or maxWaiting, or query "
                  "less often",
                  in_flight_,
                  waiting_count_),
      ""};
}

// A place goes straight to a waiter, because a newcomer could take it between the two.
void ConcurrencyLimiter::release(const std::string& name_space) {
  --in_flight_;
  const auto held = held_.find(name_space);
  if (--held->second == 0) held_.erase(held);
  // More than one: a namespace that holds the most may have waited for several to become free.
  for (auto queue = next_queue(); queue != waiting_.end(); queue = next_queue()) {
    served_ = queue->first;
    take(served_);
    Waiter* next = queue->second.front();
    remove(queue, next);
    next->decided.raise();
  }
}

// Of those that hold the fewest places; these take turns in the order of their names.
ConcurrencyLimiter::Waiting::iterator ConcurrencyLimiter::next_queue() {
  auto best = waiting_.end();
  std::size_t fewest = 0;
  auto queue = waiting_.upper_bound(served_);
  for (std::size_t i = 0; i < waiting_.size(); ++i, ++queue) {
    if (queue == waiting_.end()) queue = waiting_.begin();
    const std::size_t held = held_by(queue->first);
    if (best != waiting_.end() && held >= fewest) continue;
    best = queue;
    fewest = held;
  }
  return best != waiting_.end() && may_take(fewest) ? best : waiting_.end();
}

void ConcurrencyLimiter::remove(Waiting::iterator queue, const Waiter* waiter) {
  waiting_count_ -= std::erase(queue->second, waiter);
  if (queue->second.empty()) waiting_.erase(queue);
}

bool ConcurrencyLimiter::make_room(const std::string& name_space) {
  if (waiting_.empty()) return false;
  const auto longest =
      std::ranges::max_element(waiting_, {}, [](const auto& one) { return one.second.size(); });
  const auto own = waiting_.find(name_space);
  const std::size_t claimed = own == waiting_.end() ? 0 : own->second.size();
  // With one fewer, the two namespaces would only exchange their lengths, and displace each other
  // in turns.
  if (claimed + 1 >= longest->second.size()) return false;
  // The last one, because it has waited least.
  Waiter* last = longest->second.back();
  last->is_refused = true;
  remove(longest, last);
  last->decided.raise();
  return true;
}

}  // namespace weir::scalers::read
