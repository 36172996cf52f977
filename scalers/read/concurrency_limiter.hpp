// A backend's bulkhead: at most so many queries in flight, at most so many in the queue, the rest
// refused at once. Namespaces share the places and the queue, so that one with many or slow queries
// delays only its own. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace weir::scalers::read {

class ConcurrencyLimiter : public std::enable_shared_from_this<ConcurrencyLimiter> {
 public:
  // The permission to run one query; goes to the next waiter when it is destroyed.
  class Permit {
   public:
    Permit(std::shared_ptr<ConcurrencyLimiter> limiter, std::string name_space)
        : limiter_(std::move(limiter)), name_space_(std::move(name_space)) {}
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (limiter_) limiter_->release(name_space_);
    }

   private:
    std::shared_ptr<ConcurrencyLimiter> limiter_;  // second owner: a permit may outlive the reader
                                                   // in a frame that the loop destroys
    std::string name_space_;
  };

  ConcurrencyLimiter(Loop& loop, std::size_t max_in_flight, std::size_t max_waiting)
      : loop_(loop),
        max_in_flight_(max_in_flight),
        max_waiting_(max_waiting),
        reserve_(reserve_of(max_in_flight)) {}

  // Of so many places a quarter, and of two or more at least one, are for namespaces that hold
  // none: without it the slow queries of one namespace would hold all places until their deadlines.
  [[nodiscard]] static constexpr std::size_t reserve_of(std::size_t max_in_flight) {
    if (max_in_flight < 2) return 0;
    return max_in_flight < 4 ? 1 : max_in_flight / 4;
  }

  // A permit that is free at once; nullopt: acquire() may wait for one. The last places are for
  // namespaces that hold none: see reserve_of().
  [[nodiscard]] std::optional<Permit> try_acquire(const std::string& name_space);
  // Errc::overloaded when cap and queue are full, Errc::timed_out when no permit came free by the
  // deadline. In a full queue the last waiter of the namespace that has the most there makes room
  // for one of a namespace with at least two fewer, and gets Errc::overloaded.
  [[nodiscard]] awaitable<Result<Permit>> acquire(std::string name_space,
                                                  Deadline deadline,
                                                  SteadyTime now);

  [[nodiscard]] std::size_t max_in_flight() const { return max_in_flight_; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_count_; }

 private:
  struct Waiter;
  using Waiting = std::map<std::string, std::deque<Waiter*>>;

  // The place becomes free, and goes to the waiter whose namespace holds the fewest.
  void release(const std::string& name_space);
  // Whether a query of a namespace that holds `held` places may have a free one.
  [[nodiscard]] bool may_take(std::size_t held) const {
    const std::size_t free = max_in_flight_ - in_flight_;
    return free > reserve_ || (free > 0 && held == 0);
  }
  [[nodiscard]] std::size_t held_by(const std::string& name_space) const {
    const auto held = held_.find(name_space);
    return held == held_.end() ? 0 : held->second;
  }
  void take(const std::string& name_space) {
    ++in_flight_;
    ++held_[name_space];
  }
  // The queue whose turn it is; end: none may have a place.
  [[nodiscard]] Waiting::iterator next_queue();
  // Takes one waiter out of its queue.
  void remove(Waiting::iterator queue, const Waiter* waiter);
  // False when `name_space` has no claim to a place in the full queue.
  bool make_room(const std::string& name_space);
  [[nodiscard]] Error overloaded() const;
  // Which limit a waiter waits for.
  [[nodiscard]] std::string limit_text() const;

  Loop& loop_;
  std::size_t max_in_flight_;
  std::size_t max_waiting_;
  std::size_t reserve_;
  std::size_t in_flight_ = 0;
  std::map<std::string, std::size_t> held_;  // places by namespace, none 0
  Waiting waiting_;  // by namespace, none empty; each waiter lives in its coroutine's frame
  std::size_t waiting_count_ = 0;
  std::string served_;  // the namespace whose turn was last
};

}  // namespace weir::scalers::read
