// A backend's bulkhead: so many questions under way at once, so many waiting behind them, the rest
// refused at once. Namespaces take turns, and share the queue: one that asks a lot waits for itself
// alone. Loop thread only.
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

class Gate : public std::enable_shared_from_this<Gate> {
 public:
  // The right to ask one question; gives its place to the next waiter when it goes away.
  class Permit {
   public:
    explicit Permit(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    Permit(Permit&&) noexcept = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (gate_) gate_->leave();
    }

   private:
    std::shared_ptr<Gate>
        gate_;  // second owner: a permit may outlive the reader in a frame that the loop destroys
  };

  Gate(Loop& loop, std::size_t max_in_flight, std::size_t max_waiting)
      : loop_(loop), max_in_flight_(max_in_flight), max_waiting_(max_waiting) {}

  // A place that is free at once; nullopt: enter() may wait for one.
  [[nodiscard]] std::optional<Permit> try_enter(const std::string& name_space);
  // Errc::overloaded when cap and queue are full, Errc::timed_out when no place came free by the
  // deadline. In a full queue the last of the namespace that has the most there makes room for one
  // that has at least two fewer, and gets Errc::overloaded then.
  [[nodiscard]] awaitable<Result<Permit>> enter(std::string name_space,
                                                Deadline deadline,
                                                SteadyTime now);

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_count_; }

 private:
  struct Waiter;
  using Waiting = std::map<std::string, std::deque<Waiter*>>;

  void leave();
  // Takes one out of the queue.
  void remove(Waiting::iterator line, const Waiter* waiter);
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
