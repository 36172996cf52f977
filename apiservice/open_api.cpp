#include "apiservice/open_api.hpp"

#include "apiservice/meta/etag.hpp"

#include <nlohmann/json.hpp>

#include <string_view>
#include <utility>

namespace weir::apiservice {
namespace {

using nlohmann::json;

constexpr std::string_view kInfo = R"({"title":"Weir","version":")" WEIR_VERSION R"("})";

constexpr std::string_view kPath =
    "/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{resource}";

constexpr std::string_view kList =
    "io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValueList";

// The models, with `#` in place of the path that references of this version go by.
constexpr std::string_view kModels = R"({
"io.k8s.apimachinery.pkg.api.resource.Quantity": {
  "description": "A fixed-point number, as a decimal with an optional suffix: 1500m is 1.5."
},
"io.k8s.apimachinery.pkg.apis.meta.v1.Time": {
  "description": "A time in RFC 3339.", "type": "string", "format": "date-time"
},
"io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta": {
  "description": "The metadata of a list.", "type": "object",
  "properties": {
    "continue": {"type": "string"},
    "remainingItemCount": {"type": "integer", "format": "int64"},
    "resourceVersion": {"type": "string"},
    "selfLink": {"type": "string"}
  }
},
"io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValue": {
  "description": "One value of an external metric.", "type": "object",
  "required": ["metricName", "metricLabels", "timestamp", "value"],
  "properties": {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metricLabels": {
      "description": "What the value belongs to.", "type": "object",
      "additionalProperties": {"type": "string"}
    },
    "metricName": {"description": "The metric's name.", "type": "string"},
    "timestamp": {"$ref": "#io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
    "value": {"$ref": "#io.k8s.apimachinery.pkg.api.resource.Quantity"},
    "window": {
      "description": "Seconds over which a rate was taken.", "type": "integer", "format": "int64"
    }
  },
  "x-kubernetes-group-version-kind":
    [{"group": "external.metrics.k8s.io", "kind": "ExternalMetricValue", "version": "v1beta1"}]
},
"io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValueList": {
  "description": "The values of an external metric.", "type": "object",
  "required": ["items"],
  "properties": {
    "apiVersion": {"type": "string"},
    "items": {
      "type": "array",
      "items": {"$ref": "#io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValue"}
    },
    "kind": {"type": "string"},
    "metadata": {"$ref": "#io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"}
  },
  "x-kubernetes-group-version-kind":
    [{"group": "external.metrics.k8s.io", "kind": "ExternalMetricValueList", "version": "v1beta1"}]
}})";

// name, where it stands, what it is.
constexpr std::string_view kParameters = R"([
{"name": "namespace", "in": "path", "required": true, "description": "The namespace."},
{"name": "resource", "in": "path", "required": true, "description": "The metric's name."},
{"name": "labelSelector", "in": "query", "description": "Which values; of declared labels."}
])";

json models(std::string_view references) {
  std::string text(kModels);
  const std::string mark = "\"#";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    text.replace(at + 1, 1, references);
  }
  return json::parse(text);
}

json reference(std::string_view references, std::string_view name) {
  return {{"$ref", std::string(references) + std::string(name)}};
}

json operation(json parameters, json answer) {
  return {{"description", "Reads an external metric."},
          {"operationId", "listExternalMetricsV1beta1NamespacedMetric"},
          {"tags", {"externalMetrics_v1beta1"}},
          {"parameters", std::move(parameters)},
          {"responses", {{"200", std::move(answer)}, {"401", {{"description", "Unauthorized"}}}}},
          {"x-kubernetes-action", "list"},
          {"x-kubernetes-group-version-kind",
           {{"group", "external.metrics.k8s.io"},
            {"kind", "ExternalMetricValue"},
            {"version", "v1beta1"}}}};
}

json v2() {
  constexpr std::string_view kReferences = "#/definitions/";
  json parameters = json::parse(kParameters);
  for (json& parameter : parameters) {
    parameter["type"] = "string";
    parameter["uniqueItems"] = true;
  }
  json get = operation(std::move(parameters),
                       {{"description", "OK"}, {"schema", reference(kReferences, kList)}});
  get["schemes"] = {"https"};
  get["produces"] = {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
  json definitions = models(kReferences);
  definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"]["type"] = "string";
  return {{"swagger", "2.0"},
          {"info", json::parse(kInfo)},
          {"paths", {{std::string(kPath), {{"get", std::move(get)}}}}},
          {"definitions", std::move(definitions)}};
}

json v3() {
  constexpr std::string_view kReferences = "#/components/schemas/";
  json parameters = json::parse(kParameters);
  for (json& parameter : parameters) {
    parameter["schema"] = {{"type", "string"}, {"uniqueItems", true}};
  }
  const json schema = {{"schema", reference(kReferences, kList)}};
  json get = operation(std::move(parameters),
                       {{"description", "OK"},
                        {"content",
                         {{"application/json", schema},
                          {"application/yaml", schema},
                          {"application/vnd.kubernetes.protobuf", schema}}}});
  json schemas = models(kReferences);
  schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]["oneOf"] =
      json::array({{{"type", "string"}}, {{"type", "number"}}});
  return {{"openapi", "3.0.0"},
          {"info", json::parse(kInfo)},
          {"paths", {{std::string(kPath), {{"get", std::move(get)}}}}},
          {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace

OpenApi make_open_api() {
  OpenApi out;
  out.v2 = v2().dump();
  out.v2_hash = hash_of(out.v2);
  out.v3_group = v3().dump();
  out.v3_group_hash = hash_of(out.v3_group);
  const std::string url =
      "/openapi/v3/apis/external.metrics.k8s.io/v1beta1?hash=" + out.v3_group_hash;
  const json root = {
      {"paths", {{"apis/external.metrics.k8s.io/v1beta1", {{"serverRelativeURL", url}}}}}};
  out.v3_root = root.dump();
  out.v3_root_hash = hash_of(out.v3_root);
  return out;
}

}  // namespace weir::apiservice
