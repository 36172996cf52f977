// A backend's bulkhead: at most so many queries in flight, at most so many in the queue, the rest
// refused at once. Namespaces take turns and share the queue, so that one with many queries delays
// only its own. Loop thread only.
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
    explicit Permit(std::shared_ptr<ConcurrencyLimiter> limiter) : limiter_(std::move(limiter)) {}
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (limiter_) limiter_->release();
    }

   private:
    std::shared_ptr<ConcurrencyLimiter> limiter_;  // second owner: a permit may outlive the reader
                                                   // in a frame that the loop destroys
  };

  ConcurrencyLimiter(Loop& loop, std::size_t max_in_flight, std::size_t max_waiting)
      : loop_(loop), max_in_flight_(max_in_flight), max_waiting_(max_waiting) {}

  // A permit that is free at once; nullopt: acquire() may wait for one.
  [[nodiscard]] std::optional<Permit> try_acquire(const std::string& name_space);
  // Errc::overloaded when cap and queue are full, Errc::timed_out when no permit came free by the
  // deadline. In a full queue the last waiter of the namespace that has the most there makes room
  // for one of a namespace with at least two fewer, and gets Errc::overloaded.
  [[nodiscard]] awaitable<Result<Permit>> acquire(std::string name_space,
                                                  Deadline deadline,
                                                  SteadyTime now);

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_count_; }

 private:
  struct Waiter;
  using Waiting = std::map<std::string, std::deque<Waiter*>>;

  void release();
  // Takes one waiter out of its queue.
  void remove(Waiting::iterator queue, const Waiter* waiter);
  // False when `name_space` has no claim to a place in the full queue.
  bool make_room(const std::string& name_space);
  [[nodiscard]] Error overloaded() const;

  Loop& loop_;
  std::size_t max_in_flight_;
  std::size_t max_waiting_;
  std::size_t in_flight_ = 0;
  Waiting waiting_;  // by namespace, none empty; each waiter lives in its coroutine's frame
  std::size_t waiting_count_ = 0;
  std::string served_;  // the namespace whose turn was last
};

}  // namespace weir::scalers::read
