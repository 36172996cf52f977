// A coroutine that sleeps and measures how much too long: everything that blocks the loop shows
// here.
#include "server/telemetry/loop_lag.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <utility>

namespace weir::server {
namespace {

constexpr Duration kInterval{1'000};

}  // namespace

struct LoopLag::Ticks {
  Ticks(Loop& loop, std::function<void(std::chrono::duration<double>)> listener)
      : tell(std::move(listener)), ended(loop) {}

  std::function<void(std::chrono::duration<double>)> tell;
  scalers::Signal ended;
};

LoopLag::LoopLag(Loop& loop, std::function<void(std::chrono::duration<double>)> tell)
    : ticks_(std::make_shared<Ticks>(loop, std::move(tell))) {
  boost::asio::co_spawn(loop.get_executor(), tick(ticks_), rethrow);
}

LoopLag::~LoopLag() { ticks_->ended.raise(); }

awaitable<void> LoopLag::tick(std::shared_ptr<Ticks> ticks) {
  while (true) {
    const auto began = std::chrono::steady_clock::now();
    const bool is_ended = co_await ticks->ended.wait(kInterval);
    if (is_ended) co_return;
    const std::chrono::duration<double> took(std::chrono::steady_clock::now() - began);
    ticks->tell(std::max<std::chrono::duration<double>>(took - kInterval,
                                                        std::chrono::duration<double>::zero()));
  }
}

}  // namespace weir::server
