// The Kubernetes objects that `weir doctor` checks, with the fields that it needs, parsed from
// JSON. A field that is absent or has another type reads as empty, because the kube-apiserver has
// validated the objects. Pure.
#pragma once

#include "scalers/reading.hpp"
#include "server/kube/objects/hpa.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace weir::server::doctor {

using Labels = std::map<std::string, std::string>;

struct ObjectName {
  std::string name_space;
  std::string name;

  [[nodiscard]] std::string text() const { return name_space + "/" + name; }
  friend bool operator==(const ObjectName&, const ObjectName&) = default;
};

struct Condition {
  std::string type;
  std::string status;  // "True", "False" or "Unknown"
  std::string reason;
  std::string message;
};

struct ApiServiceObject {
  std::optional<ObjectName> service;  // nullopt: served by the kube-apiserver itself
  std::int64_t port = 443;            // of the service
  bool skips_verify = false;
  bool is_ca_base64 = true;
  std::string ca_pem;  // decoded; empty: none
  Labels labels;
  std::vector<Condition> conditions;
};

struct ServiceObject {
  struct Port {
    std::string name;
    std::int64_t port = 0;
  };
  std::string type;
  std::string external_name;
  Labels labels;
  std::vector<Port> ports;
};

struct Endpoint {
  std::string address;
  bool is_ready = false;
  std::string pod;                            // empty: not a pod
  std::map<std::string, std::int64_t> ports;  // by name
};

struct ExternalUse {
  std::string metric;
  // In the order of the keys; only what the HPA controller accepts.
  std::vector<scalers::LabelRequirement> requirements;
  std::string target_type;  // "Value" or "AverageValue"
  bool has_value = false;
  bool has_average_value = false;
  // Of the selector. With one of them the HPA controller asks for no value, and `requirements` is
  // empty.
  std::vector<apiservice::BadLabel> bad_labels = {};
};

struct Autoscaler {
  ObjectName name;
  std::string scaled_object;  // of KEDA, the owner; empty: no such owner
  std::vector<ExternalUse> uses;
  std::vector<Condition> conditions;
};

struct AutoscalerPage {
  std::vector<Autoscaler> autoscalers;
  std::string next;  // the token of the next page; empty: this is the last page
};

[[nodiscard]] ApiServiceObject parse_api_service(const nlohmann::json& object);
[[nodiscard]] ServiceObject parse_service(const nlohmann::json& object);
// The endpoints of all slices in the list.
[[nodiscard]] std::vector<Endpoint> parse_endpoints(const nlohmann::json& slices);
// Every HorizontalPodAutoscaler (autoscaling/v2) of the list that has an External metric.
[[nodiscard]] AutoscalerPage parse_autoscalers(const nlohmann::json& list);
// The names in an APIResourceList.
[[nodiscard]] std::set<std::string> parse_resources(const nlohmann::json& list);
// The name of the service account that a Pod runs as.
[[nodiscard]] std::string parse_account(const nlohmann::json& pod);
// The gitVersion of GET /version.
[[nodiscard]] std::string parse_version(const nlohmann::json& version);

}  // namespace weir::server::doctor
