#include "scalers/signal.hpp"

#include <boost/asio/as_tuple.hpp>

#include <utility>

namespace weir::scalers {

void Signal::raise() {
  is_raised_ = true;
  for (Timer* timer : std::exchange(waiting_, {})) timer->cancel();
}

awaitable<bool> Signal::wait(Duration budget) {
  if (is_raised_) co_return true;
  Timer timer(loop_.get_executor(), budget);
  waiting_.push_back(&timer);
  co_await timer.async_wait(boost::asio::as_tuple(use_awaitable));
  std::erase(waiting_, &timer);
  co_return is_raised_;
}

}  // namespace weir::scalers
