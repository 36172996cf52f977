// A record as one self-contained HTML page: plots of values, ages and replicas, a table of errors,
// and all values for the readout. Pure.
#pragma once

#include "server/commands/record/timeline.hpp"

#include <string>

namespace weir::server::record {

[[nodiscard]] std::string page_of(const Timeline& timeline);

}  // namespace weir::server::record
