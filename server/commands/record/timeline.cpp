// Texts of a timeline that the CSV, the page and the terminal have in common.
#include "server/commands/record/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace weir::server::record {

bool HpaMetric::is_over_target() const {
  const auto is_over = [](const std::optional<double>& read, const std::optional<double>& target) {
    return read && target && *read > *target;
  };
  return is_over(value, target_value) || is_over(average, target_average) ||
         is_over(utilization, target_utilization);
}

std::string text_of(const scalers::Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels)
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", name, value);
  return out;
}

std::string text_of(const std::vector<Condition>& conditions) {
  std::string out;
  for (const Condition& condition : conditions) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "; ", condition.type, condition.status);
    if (!condition.reason.empty()) out += fmt::format(" ({})", condition.reason);
  }
  return out;
}

double age_of(const Sample& sample, const scalers::Reading& reading) {
  // `time` is the beginning of the read, so that the age at its response includes `took`.
  const std::chrono::duration<double> age = sample.time - reading.taken_at;
  return std::max(0.0, age.count() + sample.took);
}

}  // namespace weir::server::record
