// Waiting is a timer that raise() cancels: the one wait of Asio that ends by itself at a deadline.
#include "scalers/signal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>

#include <utility>

namespace weir::scalers {

// A waiter's entry, gone also when the loop destroys the frame that waits.
struct Signal::Waiter {
  Waiter(Signal& awaited, Timer& timed) : signal(awaited), timer(timed) {
    signal.waiting_.push_back(&timer);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { std::erase(signal.waiting_, &timer); }

  Signal& signal;
  Timer& timer;
};

void Signal::raise() {
  is_raised_ = true;
  // cancel() only posts: no waiter runs before the caller of raise() has returned to the loop.
  for (Timer* timer : std::exchange(waiting_, {})) timer->cancel();
}

awaitable<bool> Signal::wait(Duration budget) {
  if (is_raised_) co_return true;
  Timer timer(loop_.get_executor(), budget);
  // Declared after the timer, so that raise() never finds one that is destroyed.
  const Waiter waiter(*this, timer);
  // deferred: awaited in this frame, where use_awaitable would make another one.
  co_await timer.async_wait(boost::asio::as_tuple(boost::asio::deferred));
  // Not the timer's own result: a timer that fires in the turn of raise() counts as raised.
  co_return is_raised_;
}

}  // namespace weir::scalers
