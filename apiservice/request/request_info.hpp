// What a request asks for, computed once from method, path and query. Routing, authorization,
// telemetry and the timeout use it and never parse the path again. Pure.
#pragma once

#include "apiservice/request/http.hpp"
#include "scalers/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::apiservice {

// One served version of an API group.
struct GroupVersion {
  std::string group;
  std::string version;

  // "external.metrics.k8s.io/v1beta1".
  [[nodiscard]] std::string text() const { return group + '/' + version; }

  friend bool operator==(const GroupVersion&, const GroupVersion&) = default;
};

// The subresource of a collection that explains a read of it.
inline constexpr std::string_view kExplain = "explain";

// Kubernetes' RequestInfo, which holds the attributes of a SubjectAccessReview, and `route`, which
// is ours.
struct RequestInfo {
  enum class Route : std::uint8_t {
    non_resource,      // not a resource: `path` says which endpoint
    unserved,          // a resource of a group or version that is not served
    unknown_resource,  // of a served group version, and neither of the two below
    collection,        // /apis/GROUP/VERSION/namespaces/NAMESPACE/COLLECTION
    explanation,       // the same followed by /explain
  };
  // Value of `endpoint` when no endpoint has this path.
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool is_resource = false;
  std::string verb;  // "list", "get", ...; of a non-resource request the method in lower case
  std::string path;  // of a non-resource request
  std::string group;
  std::string version;
  std::string resource;
  std::string subresource;
  std::string name_space;
  std::string name;

  Route route = Route::non_resource;
  std::size_t group_version = 0;  // index of the served one; unused by the first two routes
  // The path names `status` or `finalize` of a namespace, as Kubernetes reads it.
  bool is_part_of_namespace = false;
  std::size_t endpoint = kNone;  // of a non-resource request: index into ApiServer::endpoints()
  // What GroupHandler::find_metric() found for the collection, so that nobody searches again.
  std::optional<scalers::MetricId> metric = {};
  // The Status of the response in JSON, whatever form the caller gets, for the log; empty: no
  // error.
  std::string status = {};

  // The resource of the routes collection and explanation, also where Kubernetes reads its name as
  // a part of the namespace.
  [[nodiscard]] const std::string& collection() const {
    return is_part_of_namespace ? subresource : resource;
  }
};

// One trailing slash of the path is tolerated. `endpoint` and `metric` stay unset.
[[nodiscard]] RequestInfo request_info_of(const Request& request,
                                          std::span<const GroupVersion> served);

}  // namespace weir::apiservice
