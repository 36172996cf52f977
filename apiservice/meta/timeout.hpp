// The query parameter `timeout`, by which a caller says how long it waits. Pure.
#pragma once

#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "scalers/error.hpp"

#include <optional>

namespace weir::apiservice {

// What the caller grants, rounded down to milliseconds; nullopt when it says nothing, nothing above
// zero, or asks for a watch. Errc::bad_request with Go's text when the value is no duration: a 400
// that comes before authentication.
[[nodiscard]] scalers::Result<std::optional<Duration>> timeout_of(const Request& request,
                                                                  const RequestInfo& info);

}  // namespace weir::apiservice
