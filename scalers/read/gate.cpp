#include "scalers/read/gate.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace weir::scalers::read {

// A place in the queue, left also when the loop destroys the frame that waits, maybe behind the
// gate's other owners.
struct Gate::Waiter {
  explicit Waiter(std::shared_ptr<Gate> entered) : gate(std::move(entered)), turn(gate->loop_) {
    gate->waiting_.push_back(&turn);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { std::erase(gate->waiting_, &turn); }

  std::shared_ptr<Gate> gate;
  Signal turn;
};

awaitable<Result<Gate::Permit>> Gate::enter(Deadline deadline, SteadyTime now) {
  if (in_flight_ < max_in_flight_) {
    ++in_flight_;
    co_return Permit(shared_from_this());
  }
  if (waiting_.size() >= max_waiting_) {
    co_return Error{Errc::overloaded,
                    fmt::format("{} questions are under way and {} wait; raise maxInFlight or "
                                "maxWaiting, or ask less often",
                                in_flight_,
                                waiting_.size()),
                    ""};
  }
  Waiter waiter(shared_from_this());
  const bool has_place = co_await waiter.turn.wait(deadline.left(now));
  if (has_place) co_return Permit(shared_from_this());
  co_return Error{Errc::timed_out,
                  fmt::format("{} questions are under way before it", in_flight_),
                  ""};
}

// A place goes straight to the first waiter, so in_flight_ stays as it is; no newcomer can slip in
// between.
void Gate::leave() {
  if (waiting_.empty()) {
    --in_flight_;
    return;
  }
  Signal* next = waiting_.front();
  waiting_.pop_front();
  next->raise();
}

}  // namespace weir::scalers::read
