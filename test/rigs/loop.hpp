// Runs coroutines of the room on a real event loop, on the test's own thread.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace weir::test {

// The result of a started coroutine; empty until it ends.
template <class T>
using Pending = std::shared_ptr<std::optional<T>>;

template <class T>
awaitable<void> keep(awaitable<T> task, Pending<T> out) {
  auto value = co_await std::move(task);
  out->emplace(std::move(value));
}

template <class T>
[[nodiscard]] Pending<T> start(Loop& loop, awaitable<T> task) {
  auto out = std::make_shared<std::optional<T>>();
  boost::asio::co_spawn(loop.get_executor(),
                        keep(std::move(task), out),
                        [](const std::exception_ptr& failure) {
                          if (failure) std::rethrow_exception(failure);
                        });
  return out;
}

// Runs everything that is ready, and waits for nothing.
inline void settle(Loop& loop) {
  loop.restart();
  while (loop.poll() > 0) loop.restart();
}

// Runs the loop until the coroutine ended; a test that hangs fails after 20 s.
template <class T>
T finish(Loop& loop, Pending<T> pending) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!*pending && std::chrono::steady_clock::now() < limit) {
    loop.restart();
    loop.run_one_until(limit);
  }
  REQUIRE(pending->has_value());
  return std::move(**pending);
}

template <class T>
T run(Loop& loop, awaitable<T> task) {
  return finish(loop, start(loop, std::move(task)));
}

inline Deadline within(Duration budget) {
  return Deadline::after(std::chrono::steady_clock::now(), budget);
}

}  // namespace weir::test
