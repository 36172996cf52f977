// A read from its query to the encoded values. The checks come in the order of k8s.io/apiserver, so
// that a caller gets the same error as from a Kubernetes API server.
#include "apiservice/groups/external.hpp"

#include "apiservice/encoding/protobuf.hpp"
#include "apiservice/groups/explanation.hpp"
#include "apiservice/groups/external_values.hpp"
#include "apiservice/meta/list_options.hpp"
#include "apiservice/meta/status.hpp"
#include "apiservice/meta/table.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace weir::apiservice {
namespace {

using Conversion = MediaType::Conversion;

constexpr SupportedMediaTypes kSupported{.has_protobuf = true,
                                         .has_table = true,
                                         .has_group_discovery = false};

constexpr TableItem kTableItem{kExternalValueKind,
                               "external.metrics.k8s.io/v1beta1",
                               &append_value_fields};

// The models; `#` is replaced by the reference path of the OpenAPI version.
// Kubernetes' own types, hence `window`, although no value of Weir has one.
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
      "description": "The labels that identify the value.", "type": "object",
      "additionalProperties": {"type": "string"}
    },
    "metricName": {"description": "The metric's name.", "type": "string"},
    "timestamp": {"$ref": "#io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
    "value": {"$ref": "#io.k8s.apimachinery.pkg.api.resource.Quantity"},
    "window": {
      "description": "Seconds over which the rate is calculated.", "type": "integer", "format": "int64"
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

constexpr std::string_view kParameters = R"([
{"name": "namespace", "in": "path", "required": true, "description": "The namespace."},
{"name": "resource", "in": "path", "required": true, "description": "The metric's name."},
{"name": "labelSelector", "in": "query", "description": "A selector of declared labels."}
])";

constexpr OpenApiFragment kOpenApi{
    .path = "/namespaces/{namespace}/{resource}",
    .description = "Reads an external metric.",
    .operation_id = "listExternalMetricsV1beta1NamespacedMetric",
    .tag = "externalMetrics_v1beta1",
    .kind = kExternalValueKind,
    .list_model = "io.k8s.metrics.pkg.apis.external_metrics.v1beta1.ExternalMetricValueList",
    .parameters = kParameters,
    .models = kModels};

Status watch_not_supported() {
  return {405,
          "MethodNotAllowed",
          // The text of Go's library, which has a star for the name of the metric.
          "watch is not supported on resources of kind \"*.external.metrics.k8s.io\"",
          StatusDetails{std::string(kExternalGroup), "*"}};
}

Response encode_values(MediaType media_type,
                       const std::variant<TableOptions::Include, Status>& include,
                       std::string_view metric,
                       std::span<const scalers::Reading> readings) {
  Response out;
  // Never with a conversion: negotiation offers tables in JSON and YAML only.
  if (media_type.media == MediaType::Media::protobuf) {
    out.content_type = kProtobufType;
    append_value_list_protobuf(out.body, metric, readings);
    return out;
  }
  if (media_type.conversion == Conversion::as_is) {
    append_value_list(out.body, metric, readings);
  } else {
    // `include` holds no Status here: read() has returned it.
    const TableOptions options{media_type.conversion == Conversion::table_v1beta1,
                               std::get<TableOptions::Include>(include)};
    append_value_table(out.body, options, kTableItem, metric, readings);
  }
  return encode(std::move(out.body), media_type);
}

}  // namespace

awaitable<Response> ExternalMetrics::respond(Request& request,
                                             RequestInfo& info,
                                             Negotiation& negotiation,
                                             Deadline deadline) {
  return info.route == RequestInfo::Route::explanation
             ? explain(request, info, negotiation, deadline)
             : read(request, info, negotiation, deadline);
}

awaitable<Response> ExternalMetrics::read(Request& request,
                                          RequestInfo& info,
                                          Negotiation& negotiation,
                                          Deadline deadline) {
  const auto media_type = negotiation.media_type(kSupported);
  if (!media_type) co_return not_acceptable(kSupported);
  // Before the options, because there is no watch whose options could be valid.
  if (is_true(request, "watch")) co_return render(watch_not_supported());
  auto options = parse_list_options(request);
  if (const auto* status = std::get_if<Status>(&options)) co_return render(*status);
  const auto include = parse_include(request);
  const bool is_table = media_type->conversion != Conversion::as_is;
  // includeObject is an option of tables: any other response ignores an invalid one, as in
  // Kubernetes.
  if (const auto* status = std::get_if<Status>(&include); is_table && status != nullptr)
    co_return render(*status);
  scalers::Query query{info.name_space,
                       info.collection(),
                       std::move(std::get<ListOptions>(options).labels),
                       info.metric};
  // The path may have it in lower case. Before the read, which a reload may come into.
  const std::string name = source_.spelling_of(info.collection(), info.metric);
  const auto readings = co_await source_.read(std::move(query), deadline);
  if (!readings) co_return render(status_of(readings.error()));
  co_return encode_values(*media_type, include, name, *readings);
}

awaitable<Response> ExternalMetrics::explain(Request& request,
                                             RequestInfo& info,
                                             Negotiation& negotiation,
                                             Deadline deadline) {
  // As if the subresource did not exist.
  if (explainer_ == nullptr) co_return render(resource_not_found());
  const auto media_type = negotiation.media_type(SupportedMediaTypes{});
  if (!media_type) co_return not_acceptable(SupportedMediaTypes{});
  auto options = parse_list_options(request);
  if (const auto* status = std::get_if<Status>(&options)) co_return render(*status);
  scalers::Query query{info.name_space,
                       info.collection(),
                       std::move(std::get<ListOptions>(options).labels),
                       info.metric};
  const auto explanation = co_await explainer_->explain(std::move(query), deadline);
  if (!explanation) co_return render(status_of(explanation.error()));
  std::string text = explanation_text(*explanation, request.parameter("labelSelector"));
  co_return encode(std::move(text), *media_type);
}

ApiGroup external_metrics_group(std::vector<std::string> metric_names, GroupHandler* handler) {
  metric_names.emplace_back(kExternalItems);
  // Sorted, so that the ETag of discovery does not depend on the order in the configuration. A name
  // that is configured for several namespaces is one resource.
  std::ranges::sort(metric_names);
  const auto repeated = std::ranges::unique(metric_names);
  metric_names.erase(repeated.begin(), repeated.end());
  std::vector<ApiResource> resources;
  resources.reserve(metric_names.size());
  for (std::string& name : metric_names) {
    std::string kind(name == kExternalItems ? kExternalValueKind : std::string_view(name));
    resources.push_back({std::move(name), std::move(kind)});
  }
  return {std::string(kExternalGroup),
          {{std::string(kExternalVersion), std::move(resources), kOpenApi}},
          handler};
}

}  // namespace weir::apiservice
