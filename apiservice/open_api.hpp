// The OpenAPI documents of the served groups, versions 2 and 3. They do not depend on the
// configured metrics. Pure.
#pragma once

#include "apiservice/groups/group.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::apiservice {

// GET /openapi/v3/apis/GROUP/VERSION: OpenAPI 3.0 of one group version.
struct OpenApiV3 {
  std::string path;
  std::string json;
  std::string hash;
};

struct OpenApi {
  std::string v2;       // GET /openapi/v2: Swagger 2.0
  std::string v3_root;  // GET /openapi/v3: where the documents of the group versions are
  std::string v2_hash;
  std::string v3_root_hash;
  std::vector<OpenApiV3> v3;  // of each group version
};

[[nodiscard]] OpenApi make_open_api(std::span<const ApiGroup> groups);

}  // namespace weir::apiservice
