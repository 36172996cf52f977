// A record as one table: a line for each round, a column for each metric and for each number of an
// HPA, as spreadsheets and scripts for plots want it. Pure.
#pragma once

#include "scalers/deadline.hpp"
#include "server/commands/record/timeline.hpp"

#include <string>

namespace weir::server::record {

// Timestamp; of each HPA Replicas and Desired; each metric; of each HPA CPU_Percent, CPU_Cores,
// Memory_Percent, Memory_Bytes (of its status.currentMetrics) and Active (its metrics over their
// targets). A cell without a number is empty, never a 0. Several values of a metric are added, as
// the HPA adds them.
[[nodiscard]] std::string wide_csv_of(const Timeline& timeline, Duration interval);

}  // namespace weir::server::record
