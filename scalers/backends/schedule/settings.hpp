// The settings of a schedule: the table of a metric's block, and what its windows mean.
#pragma once

#include "scalers/backends/schedule/plan.hpp"
#include "scalers/backends/schedule/time_zone.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "scalers/settings/table.hpp"

#include <optional>
#include <vector>

namespace weir::scalers::backends::schedule {

struct Settings {
  std::optional<TimeZone> zone;  // nullopt: a problem
  Plan plan;
};

// The block of a metric. What is wrong with it is added to `problems`; the result is then not for
// use.
[[nodiscard]] Settings read_metric(const Node& block, Problems& problems);

[[nodiscard]] std::vector<SettingDoc> metric_docs();

}  // namespace weir::scalers::backends::schedule
