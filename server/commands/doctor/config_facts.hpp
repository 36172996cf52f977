// What `weir doctor` reads from a configuration, in addition to the World built from it. Pure.
#pragma once

#include "scalers/kind.hpp"
#include "scalers/settings/node.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::server::doctor {

using scalers::Measure;

struct MeasuredMetric {
  std::string name;
  std::vector<std::string> namespaces;  // "*" alone means every namespace
  Measure measure;
};

// The metrics whose kind knows what their blocks measure.
[[nodiscard]] std::vector<MeasuredMetric> measured_metrics(
    std::span<const scalers::Node> documents);

}  // namespace weir::server::doctor
