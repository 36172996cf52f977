// Parses the responses of the kube-apiserver to `weir record`: a list of values, an HPA, or a
// Status. Pure.
#pragma once

#include "scalers/error.hpp"
#include "scalers/reading.hpp"
#include "server/commands/record/timeline.hpp"

#include <string_view>
#include <vector>

namespace weir::server::record {

// The readings of a response with this HTTP status. Errc::bad_reply with the message of a Status.
[[nodiscard]] scalers::Result<std::vector<scalers::Reading>> parse_values(long status,
                                                                          std::string_view body);
[[nodiscard]] scalers::Result<HpaState> parse_hpa(long status, std::string_view body);

}  // namespace weir::server::record
