// `weir check --live`: one read of each metric, with the diagnosis of an error or of a 0 that a
// missing object has too.
#pragma once

#include "scalers/read/world.hpp"
#include "scalers/reading.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace weir::server {

// BackendState::address by the name of the backend, for the operator's own terminal alone.
using Addresses = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Addresses addresses_of(std::span<const scalers::BackendState> backends);

struct LiveRead {
  std::string status;  // "ok", "warning" (a value to doubt), "skipped", or the code of the error
  std::string name_space;
  std::string metric;
  std::string backend;
  std::string address;  // empty: unknown
  std::vector<scalers::Reading> readings;
  std::string message;  // why: of anything but "ok"

  [[nodiscard]] bool is_failed() const {
    return status != "ok" && status != "warning" && status != "skipped";
  }
};

// The requirements of a selector that concern the metric: those of the labels it declares.
[[nodiscard]] std::vector<scalers::LabelRequirement> requirements_for(
    const scalers::MetricInfo& metric,
    std::span<const scalers::LabelRequirement> selector);

// The result of an explanation of `metric`, or of one that failed before it began.
[[nodiscard]] LiveRead live_read(const scalers::MetricInfo& metric,
                                 const scalers::Result<scalers::Explanation>& explanation,
                                 const Addresses& addresses);
// Of a metric whose labels the selector does not set.
[[nodiscard]] LiveRead skipped(const scalers::MetricInfo& metric, const Addresses& addresses);

// The namespace in which the metric is read.
[[nodiscard]] std::string namespace_of(const scalers::MetricInfo& metric);

// "ok         NAMESPACE/METRIC = 5", without a line end.
[[nodiscard]] std::string text_of(const LiveRead& read);

}  // namespace weir::server
