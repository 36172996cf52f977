// The completion of the coroutine of a connection.
#pragma once

#include <exception>

namespace weir::server {

// An exception in a connection is logged, and ends that connection alone, never the process.
void on_session_end(const std::exception_ptr& failure);

}  // namespace weir::server
