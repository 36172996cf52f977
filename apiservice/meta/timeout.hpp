// The query parameter `timeout`: how long the caller waits. Pure.
#pragma once

#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <optional>

namespace weir::apiservice {

// The caller's timeout, rounded down to milliseconds; nullopt when it is absent or not above zero,
// and for a watch. Errc::bad_request with Go's text when the value is not a duration: a 400 that
// precedes authentication.
[[nodiscard]] scalers::Result<std::optional<Duration>> timeout_of(const Request& request,
                                                                  const RequestInfo& info);

}  // namespace weir::apiservice
