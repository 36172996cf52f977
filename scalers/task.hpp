// The coroutine type of the whole program: an Asio awaitable bound to the one event loop's concrete
// executor. All coroutines run on the loop's thread; none is ever resumed elsewhere.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace weir {

using Loop = boost::asio::io_context;
using Executor = Loop::executor_type;

template <class T>
using awaitable = boost::asio::awaitable<T, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> use_awaitable{};

// The completion of a detached coroutine that must not fail: a bug shows at the loop's run().
inline void rethrow(const std::exception_ptr& failure) {
  if (failure) std::rethrow_exception(failure);
}

}  // namespace weir
