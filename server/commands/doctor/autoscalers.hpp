// Judges what HPAs ask for against what is served: names, namespaces, selectors and targets. Pure.
#pragma once

#include "scalers/read/world.hpp"
#include "server/commands/doctor/config_facts.hpp"
#include "server/commands/doctor/finding.hpp"
#include "server/commands/doctor/objects.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

// What is known of the metrics that Weir serves: the configuration goes before what discovery
// lists. Nothing of either: names are not judged.
struct ServedMetrics {
  std::optional<std::vector<scalers::MetricInfo>> configured{};
  std::vector<MeasuredMetric> measured{};  // configured ones, what their targets are judged by
  std::optional<std::set<std::string>> listed{};
};

// Everything that is wrong with the HPAs, and what the HPA controller says of them.
[[nodiscard]] Findings judge_autoscalers(std::span<const Autoscaler> autoscalers,
                                         const ServedMetrics& served);

// What the running Weir lists against its configuration.
[[nodiscard]] Findings judge_discovery(const std::set<std::string>& listed,
                                       const ServedMetrics& served);

}  // namespace weir::server::doctor
