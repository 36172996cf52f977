// What `weir doctor` reads from a configuration, in addition to the World built from it. Pure.
#pragma once

#include "scalers/settings/node.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

// How a metric depends on the number of replicas: an average or a quantile describes one replica
// and does not grow with their number; a backlog is the work of all replicas together.
enum class Measure { average, backlog };

struct MeasuredMetric {
  std::string name;
  std::vector<std::string> namespaces;  // "*" alone means every namespace
  Measure measure;
};

// The metrics whose Measure is known from their block: a PromQL query whose outermost function is
// an average or a quantile, the queue length of RabbitMQ, and the lengths and lags of Redis. Rates,
// ratios, times and Redis counters are left out.
[[nodiscard]] std::vector<MeasuredMetric> measured_metrics(
    std::span<const scalers::Node> documents);

}  // namespace weir::server::doctor
