// The JSON documents of the API: discovery, made once when a configuration is loaded, and metric
// values. Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "scalers/reading.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

// What discovery answers. Never empty: without a metric one placeholder resource stands in it,
// since kubectl and Helm take an empty list for a fault.
struct Discovery {
  std::string group_list;     // GET /apis
  std::string group;          // GET /apis/GROUP
  std::string resource_list;  // GET /apis/GROUP/VERSION
};

[[nodiscard]] Discovery make_discovery(std::vector<std::string> metric_names);

// Appends an ExternalMetricValueList with an item for each reading, and a line end.
void append_value_list(std::string& out,
                       std::string_view metric,
                       std::span<const scalers::Reading> readings);

// Appends "YYYY-MM-DDTHH:MM:SSZ": whole seconds, cut off.
void append_rfc3339(std::string& out, WallTime time);

}  // namespace weir::apiservice
