// Coroutines that use Weir's clients concurrently on one loop.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <cstddef>
#include <functional>

namespace weir::bench {

// Starts `count` coroutines, each made by `make` from its number, and runs the loop until all have
// ended. An exception of a coroutine is rethrown.
void run_callers(Loop& loop,
                 std::size_t count,
                 const std::function<awaitable<void>(std::size_t caller)>& make);

[[nodiscard]] inline Deadline within_a_minute() {
  return Deadline::after(std::chrono::steady_clock::now(), std::chrono::minutes{1});
}

}  // namespace weir::bench
