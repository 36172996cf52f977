// A record as one HTML page that asks for nothing else: plots of values, ages and replicas, what
// went wrong and when, and every number for the cursor. Pure.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <string>

namespace weir::server::record {

[[nodiscard]] std::string page_of(const Timeline& timeline);

}  // namespace weir::server::record
