// The names of the configured metrics, each once: what the counts of a metric stand beside. Part of
// Telemetry. Pure.
#pragma once

#include "scalers/read/world.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

class MetricNames {
 public:
  MetricNames() = default;
  explicit MetricNames(const std::vector<scalers::MetricInfo>& metrics);

  // The place of `name`; nullopt: no metric is called so.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  // In their order; valid as long as the names are.
  [[nodiscard]] std::string_view operator[](std::size_t place) const;
  [[nodiscard]] std::size_t size() const { return ends_.size(); }

 private:
  std::string text_;  // one behind the other
  std::vector<std::uint32_t> ends_;
};

}  // namespace weir::server
