// The outcome of `weir check` for people and for programs. Pure.
#pragma once

#include "scalers/settings/problems.hpp"
#include "server/commands/check/live.hpp"
#include "server/commands/command.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace weir::server {

// Of a valid configuration.
struct CheckReport {
  std::size_t metrics = 0;
  std::vector<std::string> remarks;
  std::vector<LiveRead> reads;  // with --live
};

// The first lines, before the reads: "2 metrics: the configuration is valid", and the remarks.
[[nodiscard]] std::string text_of(const CheckReport& report);

// As JSON or YAML: {"valid": true, "metrics": 2, "remarks": [TEXT], "reads": [{"namespace",
// "metric", "status", "backend", "address", "values": [{"labels", "value"}], "message"}]}.
[[nodiscard]] std::string report_of(const CheckReport& report, Output output);
// {"valid": false, "problems": [{"file", "line", "column", "what"}]}.
[[nodiscard]] std::string report_of(const scalers::Problems& problems, Output output);

}  // namespace weir::server
