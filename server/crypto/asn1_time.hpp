// The times in certificates. Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <openssl/types.h>

#include <optional>

namespace weir::server {

// nullopt when `time` is null or its text is not a valid time. A time that WallTime cannot hold,
// such as the year 9999, is the last or the first that it can.
[[nodiscard]] std::optional<WallTime> wall_time_of(const ASN1_TIME* time);

}  // namespace weir::server
