// The group external.metrics.k8s.io: what it adds to discovery and OpenAPI, and how its metrics are
// read and explained. Owned by the App; loop thread only.
#pragma once

#include "apiservice/groups/group.hpp"
#include "scalers/explanation.hpp"
#include "scalers/reading.hpp"

#include <string>
#include <vector>

namespace weir::apiservice {

class ExternalMetrics final : public GroupHandler {
 public:
  // Both outlive the handler and every request in it. Without `explainer` an explanation is a 404.
  explicit ExternalMetrics(scalers::Source& source, scalers::Explainer* explainer = nullptr)
      : source_(source), explainer_(explainer) {}

  [[nodiscard]] std::optional<scalers::MetricId> find_metric(
      std::string_view collection) const override {
    return source_.find(collection);
  }
  [[nodiscard]] awaitable<Response> respond(Request& request,
                                            RequestInfo& info,
                                            Negotiation& negotiation,
                                            Deadline deadline) override;

 private:
  [[nodiscard]] awaitable<Response> read(Request& request,
                                         RequestInfo& info,
                                         Negotiation& negotiation,
                                         Deadline deadline);
  [[nodiscard]] awaitable<Response> explain(Request& request,
                                            RequestInfo& info,
                                            Negotiation& negotiation,
                                            Deadline deadline);

  scalers::Source& source_;
  scalers::Explainer* explainer_;
};

// The group with these metrics as its resources. Each metric has a kind of its own name, because
// kubectl looks up a resource by its kind and would read the wrong metric if all had the same one.
// One more resource has the kind ExternalMetricValue, which kubectl looks up for the items it
// received. It also keeps discovery from being empty, which kubectl and Helm treat as an error.
[[nodiscard]] ApiGroup external_metrics_group(std::vector<std::string> metric_names,
                                              GroupHandler* handler);

}  // namespace weir::apiservice
