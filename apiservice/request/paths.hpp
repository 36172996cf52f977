// Which resource a path names: the routes of the API, and the attributes that authorization is
// asked with. Pure.
#pragma once

#include "apiservice/request/http.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

inline constexpr std::string_view kGroup = "external.metrics.k8s.io";
inline constexpr std::string_view kVersion = "v1beta1";
inline constexpr std::string_view kGroupVersion = "external.metrics.k8s.io/v1beta1";

struct Route {
  enum class Kind {
    group_list,         // /apis
    group,              // /apis/GROUP
    resource_list,      // /apis/GROUP/VERSION
    open_api_v2,        // /openapi/v2
    open_api_v3,        // /openapi/v3
    open_api_v3_group,  // /openapi/v3/apis/GROUP/VERSION
    version,            // /version
    index,              // / and /index.html
    metric,             // /apis/GROUP/VERSION/namespaces/NAMESPACE/METRIC
    explanation,        // the same with /explain behind it
    unknown_resource,   // anything else below /apis/GROUP/VERSION
    unknown,            // anything else
  };
  Kind kind = Kind::unknown;
  std::string name_space;  // of a metric and of an explanation
  std::string metric;      // likewise
};

// `path` is decoded; one trailing slash is tolerated.
[[nodiscard]] Route route_of(std::string_view path);

// The subresource of a metric that explains a read of it.
inline constexpr std::string_view kExplain = "explain";

// What a caller wants to do, in the words of a SubjectAccessReview, as Kubernetes reads them off
// method and path.
struct Attributes {
  bool is_resource = false;
  std::string verb;  // "list", "get", ...; of a non-resource request the method in lower case
  std::string path;  // of a non-resource request
  std::string group;
  std::string version;
  std::string resource;
  std::string subresource;
  std::string name_space;
  std::string name;
};

[[nodiscard]] Attributes attributes_of(const Request& request);

}  // namespace weir::apiservice
