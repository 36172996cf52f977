#include "bench/micro/askers.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>

namespace weir::bench {

void run_askers(Loop& loop,
                std::size_t count,
                const std::function<awaitable<void>(std::size_t asker)>& make) {
  std::size_t left = count;
  std::exception_ptr failure;
  for (std::size_t asker = 0; asker < count; ++asker) {
    boost::asio::co_spawn(loop.get_executor(), make(asker), [&](const std::exception_ptr& thrown) {
      --left;
      if (thrown) failure = thrown;
    });
  }
  loop.restart();
  while (left > 0) loop.run_one();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace weir::bench
