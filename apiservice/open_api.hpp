// The OpenAPI documents of our own group, versions 2 and 3. They are the same whatever the metrics
// are. Pure.
#pragma once

#include <string>

namespace weir::apiservice {

struct OpenApi {
  std::string v2;        // GET /openapi/v2: Swagger 2.0
  std::string v3_root;   // GET /openapi/v3: where the group's document is
  std::string v3_group;  // GET /openapi/v3/apis/GROUP/VERSION: OpenAPI 3.0
  std::string v2_hash;
  std::string v3_root_hash;
  std::string v3_group_hash;
};

[[nodiscard]] OpenApi make_open_api();

}  // namespace weir::apiservice
