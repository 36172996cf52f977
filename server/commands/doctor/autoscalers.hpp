// Checks the external metrics of HPAs against the metrics that Weir serves: names, namespaces,
// selectors and targets. Pure.
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

// The metrics that Weir serves, as far as known. The configuration takes precedence over discovery;
// without both, names are not checked.
struct ServedMetrics {
  std::optional<std::vector<scalers::MetricInfo>> configured{};
  std::vector<MeasuredMetric> measured{};  // of the configuration, for checking targets
  std::optional<std::set<std::string>> listed{};
};

// The problems of the HPAs, including those that the HPA controller reports in their conditions.
[[nodiscard]] Findings check_autoscalers(std::span<const Autoscaler> autoscalers,
                                         const ServedMetrics& served);

// The differences between the metrics that the running Weir lists and its configuration.
[[nodiscard]] Findings check_discovery(const std::set<std::string>& listed,
                                       const ServedMetrics& served);

}  // namespace weir::server::doctor
