// Measures how late the event loop runs a timer, once a second. Owned by the App, ends with the
// drain; loop thread only.
#pragma once

#include "scalers/signal.hpp"
#include "scalers/task.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace weir::server {

class LoopLag {
 public:
  // `tell` gets how late each tick was, until the LoopLag is gone.
  LoopLag(Loop& loop, std::function<void(std::chrono::duration<double>)> tell);
  LoopLag(const LoopLag&) = delete;
  LoopLag& operator=(const LoopLag&) = delete;
  ~LoopLag();

 private:
  struct Ticks;
  static awaitable<void> tick(std::shared_ptr<Ticks> ticks);

  std::shared_ptr<Ticks> ticks_;  // second owner: the coroutine, until it sees the end
};

}  // namespace weir::server
