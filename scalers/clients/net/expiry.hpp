// A time limit on what a coroutine does with a stream. Loop thread only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace weir::scalers::clients {

// Runs `on_expiry` on the loop once `budget` has passed, unless this object is destroyed first.
class Expiry {
 public:
  Expiry(Loop& loop, Duration budget, std::function<void()> on_expiry)
      : timer_(loop.get_executor(), budget) {
    timer_.async_wait([state = state_,
                       action = std::move(on_expiry)](const boost::system::error_code& cancelled) {
      if (cancelled || state->is_over) return;
      state->has_fired = true;
      action();
    });
  }
  Expiry(const Expiry&) = delete;
  Expiry& operator=(const Expiry&) = delete;
  ~Expiry() { state_->is_over = true; }

  [[nodiscard]] bool has_fired() const { return state_->has_fired; }

 private:
  struct State {
    bool is_over = false;
    bool has_fired = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();  // second owner: the timer's handler
  Timer timer_;
};

}  // namespace weir::scalers::clients
