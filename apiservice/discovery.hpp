// The documents of discovery, made once when a configuration is loaded. Pure.
#pragma once

#include <string>
#include <vector>

namespace weir::apiservice {

// What discovery answers, as compact JSON. Its resources are the metrics, each with a kind of its
// own name, and one more of the kind ExternalMetricValue: kubectl finds a resource by its kind, so
// with one kind for all it would ask another metric than the one it was told, and it looks for the
// kind of what it got. So discovery is never empty either, which kubectl and Helm take for a fault.
struct Discovery {
  std::string group_list;       // GET /apis
  std::string group;            // GET /apis/GROUP
  std::string resource_list;    // GET /apis/GROUP/VERSION
  std::string group_discovery;  // GET /apis, aggregated: APIGroupDiscoveryList v2
  std::string group_discovery_hash;
};

[[nodiscard]] Discovery make_discovery(std::vector<std::string> metric_names);

}  // namespace weir::apiservice
