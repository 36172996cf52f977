// The documents of discovery, made once when a configuration is loaded. Pure.
#pragma once

#include "apiservice/groups/group.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::apiservice {

// One document of discovery and its path below /apis.
struct DiscoveryDocument {
  std::string path;  // "/apis/GROUP" or "/apis/GROUP/VERSION"
  std::string group;
  std::string version;  // empty: the document is the group's
  std::string json;
};

// The documents of discovery, as compact JSON.
struct Discovery {
  std::string group_list;       // GET /apis
  std::string group_discovery;  // GET /apis, aggregated: APIGroupDiscoveryList v2
  std::string group_discovery_hash;
  std::vector<DiscoveryDocument> documents;  // of each group and each of its versions
};

[[nodiscard]] Discovery make_discovery(std::span<const ApiGroup> groups);

}  // namespace weir::apiservice
