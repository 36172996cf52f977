// An API group as data: everything that discovery, OpenAPI, routing, telemetry and tables need.
// They take a list of groups and name none, so that another group is one more file.
#pragma once

#include "apiservice/negotiation/media_type.hpp"
#include "apiservice/request/http.hpp"
#include "apiservice/request/request_info.hpp"
#include "scalers/deadline.hpp"
#include "scalers/reading.hpp"
#include "scalers/task.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::apiservice {

// A resource as discovery lists it: namespaced, with the verb get.
struct ApiResource {
  std::string name;
  std::string kind;
};

// What a group version adds to the OpenAPI documents. The texts are JSON and literals.
struct OpenApiFragment {
  std::string_view path;         // below the version, with {parameters}
  std::string_view description;  // of its one operation
  std::string_view operation_id;
  std::string_view tag;
  std::string_view kind;        // that the operation acts on
  std::string_view list_model;  // the model of its response: a key of `models`
  std::string_view parameters;  // a list of {name, in, required, description}
  std::string_view models;      // a map; "#NAME" is a reference to the model NAME
};

struct ApiVersion {
  std::string name;                    // "v1beta1"
  std::vector<ApiResource> resources;  // in the order of their names, each once
  OpenApiFragment open_api;
};

// Answers the requests of a group. Loop thread only.
class GroupHandler {
 public:
  GroupHandler() = default;
  GroupHandler(const GroupHandler&) = delete;
  GroupHandler& operator=(const GroupHandler&) = delete;
  virtual ~GroupHandler() = default;

  // The metric that a collection is read from; nullopt when it is not configured, or when the group
  // has no such index. An id of the configuration in force, which a reload may replace.
  [[nodiscard]] virtual std::optional<scalers::MetricId> find_metric(
      std::string_view /*collection*/) const {
    return std::nullopt;
  }
  // The response to an authorized GET of a collection or an explanation. All references must stay
  // valid until it is returned.
  [[nodiscard]] virtual awaitable<Response> respond(Request& request,
                                                    RequestInfo& info,
                                                    Negotiation& negotiation,
                                                    Deadline deadline) = 0;
};

struct ApiGroup {
  std::string name;                  // "external.metrics.k8s.io"
  std::vector<ApiVersion> versions;  // the preferred one first
  GroupHandler* handler;             // outlives the ApiServer that serves the group
};

// Every version of every group, in their order: RequestInfo::group_version is an index into this
// list.
[[nodiscard]] std::vector<GroupVersion> group_versions(std::span<const ApiGroup> groups);

}  // namespace weir::apiservice
