// The flat list of served group versions, which the path of a request is compared with.
#include "apiservice/groups/group.hpp"

namespace weir::apiservice {

std::vector<GroupVersion> group_versions(std::span<const ApiGroup> groups) {
  std::vector<GroupVersion> out;
  for (const ApiGroup& group : groups) {
    for (const ApiVersion& version : group.versions) out.push_back({group.name, version.name});
  }
  return out;
}

}  // namespace weir::apiservice
