// What the number of a query measures, as far as its text shows it. Pure.
#pragma once

#include "scalers/kind.hpp"
#include "scalers/settings/node.hpp"

namespace weir::scalers::backends::prometheus {

// Measure::average for a metric's block whose query is a single average or quantile, or whose
// series are averaged; otherwise unknown, because a sum may be of anything.
[[nodiscard]] Measure measure_of(const Node& block);

}  // namespace weir::scalers::backends::prometheus
