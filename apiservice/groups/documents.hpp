// Metric values in JSON. Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/reading.hpp"

#include <span>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends an ExternalMetricValueList with an item for each reading, and a line end.
void append_value_list(std::string& out,
                       std::string_view metric,
                       std::span<const scalers::Reading> readings);

// Appends the fields of one ExternalMetricValue, without braces.
void append_value_fields(std::string& out,
                         std::string_view metric,
                         const scalers::Reading& reading);

// Appends {"name":"value",...}.
void append_labels(std::string& out, const scalers::Labels& labels);

// Appends "YYYY-MM-DDTHH:MM:SSZ": whole seconds, cut off.
void append_rfc3339(std::string& out, WallTime time);

}  // namespace weir::apiservice
