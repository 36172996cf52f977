#include "bench/micro/callers.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace weir::bench {

void run_callers(Loop& loop,
                 std::size_t count,
                 const std::function<awaitable<void>(std::size_t caller)>& make) {
  std::size_t left = count;
  std::exception_ptr failure;
  for (std::size_t caller = 0; caller < count; ++caller) {
    boost::asio::co_spawn(loop.get_executor(), make(caller), [&](const std::exception_ptr& thrown) {
      --left;
      if (thrown) failure = thrown;
    });
  }
  loop.restart();
  while (left > 0) loop.run_one();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace weir::bench
