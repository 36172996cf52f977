// A backend's bulkhead: so many questions under way at once, so many waiting behind them in order,
// the rest refused at once. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/error.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <deque>
#include <memory>

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

  // Errc::overloaded when cap and queue are full, Errc::timed_out when no place came free by the
  // deadline.
  [[nodiscard]] awaitable<Result<Permit>> enter(Deadline deadline, SteadyTime now);

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiter;
  void leave();

  Loop& loop_;
  std::size_t max_in_flight_;
  std::size_t max_waiting_;
  std::size_t in_flight_ = 0;
  std::deque<Signal*> waiting_;  // each lives in its waiter's coroutine frame
};

}  // namespace weir::scalers::read
