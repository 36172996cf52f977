// A one-shot event that coroutines of the loop wait for under their own deadlines. Loop thread
// only.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <vector>

namespace weir::scalers {

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>,
                                                Executor>;

class Signal {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  // Wakes every waiter, now and later ones at once. May be called once or more.
  void raise();
  // True when raised, false when `budget` passed first. The signal must live until the wait ends.
  [[nodiscard]] awaitable<bool> wait(Duration budget);

 private:
  struct Waiter;
  Loop& loop_;
  bool is_raised_ = false;
  std::vector<Timer*> waiting_;  // each lives in its waiter's coroutine frame
};

}  // namespace weir::scalers
