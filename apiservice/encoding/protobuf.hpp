// Metric values and Status in Kubernetes' protobuf form, byte for byte as Go's generated code
// writes them. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <span>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends an ExternalMetricValueList with an item for each reading.
void append_value_list_protobuf(std::string& out,
                                std::string_view metric,
                                std::span<const scalers::Reading> readings);

// A Status of ours, given as JSON.
[[nodiscard]] std::string protobuf_of_status(std::string_view json);

}  // namespace weir::apiservice
