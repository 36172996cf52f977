#include "scalers/read/concurrency_limiter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace weir::scalers::read {

// A place in the queue, left also when the loop destroys the frame that waits, maybe behind the
// gate's other owners.
struct Gate::Waiter {
  Waiter(std::shared_ptr<Gate> entered, std::string from)
      : gate(std::move(entered)), name_space(std::move(from)), turn(gate->loop_) {
    gate->waiting_[name_space].push_back(this);
    ++gate->waiting_count_;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    const auto line = gate->waiting_.find(name_space);
    if (line != gate->waiting_.end()) gate->remove(line, this);
  }

  std::shared_ptr<Gate> gate;
  std::string name_space;
  Signal turn;  // it has a place, or has to make room
  bool is_refused = false;
};

std::optional<Gate::Permit> Gate::try_enter(const std::string& name_space) {
  if (in_flight_ >= max_in_flight_) return std::nullopt;
  ++in_flight_;
  served_ = name_space;
  return Permit(shared_from_this());
}

awaitable<Result<Gate::Permit>> Gate::enter(std::string name_space,
                                            Deadline deadline,
                                            SteadyTime now) {
  if (auto permit = try_enter(name_space)) co_return std::move(*permit);
  if (waiting_count_ >= max_waiting_ && !make_room(name_space)) co_return overloaded();
  Waiter waiter(shared_from_this(), std::move(name_space));
  const bool is_called = co_await waiter.turn.wait(deadline.left(now));
  if (waiter.is_refused) co_return overloaded();
  if (is_called) co_return Permit(shared_from_this());
  co_return Error{Errc::timed_out,
                  fmt::format("{} questions are under way before it", in_flight_),
                  ""};
}

Error Gate::overloaded() const {
  return {Errc::overloaded,
          fmt::format("{} questions are under way and {} wait; raise maxInFlight or "
                      "maxWaiting, or ask less often",
                      in_flight_,
                      waiting_count_),
          ""};
}

// A place goes straight to a waiter, so in_flight_ stays as it is; no newcomer can slip in between.
// The namespaces take turns in the order of their names.
void Gate::leave() {
  if (waiting_.empty()) {
    --in_flight_;
    return;
  }
  auto line = waiting_.upper_bound(served_);
  if (line == waiting_.end()) line = waiting_.begin();
  served_ = line->first;
  Waiter* next = line->second.front();
  remove(line, next);
  next->turn.raise();
}

void Gate::remove(Waiting::iterator line, const Waiter* waiter) {
  waiting_count_ -= std::erase(line->second, waiter);
  if (line->second.empty()) waiting_.erase(line);
}

bool Gate::make_room(const std::string& name_space) {
  if (waiting_.empty()) return false;
  const auto longest =
      std::ranges::max_element(waiting_, {}, [](const auto& one) { return one.second.size(); });
  const auto own = waiting_.find(name_space);
  const std::size_t claimed = own == waiting_.end() ? 0 : own->second.size();
  if (claimed + 1 >= longest->second.size()) return false;
  Waiter* last = longest->second.back();
  last->is_refused = true;
  remove(longest, last);
  last->turn.raise();
  return true;
}

}  // namespace weir::scalers::read
