// The texts that the reader adds to errors, for `kubectl describe hpa`. Pure.
#pragma once

#include "scalers/error.hpp"
#include "scalers/read/metric.hpp"
#include "scalers/reading.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::scalers::read {

// Names the metric, its kind and its backend in front of an error, so that `kubectl describe hpa`
// says where to look.
[[nodiscard]] Error within_metric(const Metric& metric,
                                  std::string_view name_space,
                                  const Error& error);
// Errc::bad_request for a read from `name_space`, which is not a DNS label.
[[nodiscard]] Error not_a_namespace(const Metric& metric, std::string_view name_space);
// `error` with the cause that a diagnosis found at its end; unchanged without one.
[[nodiscard]] Error with_cause(Error error, std::string_view cause);
// Errc::timed_out says how long the wait was and what can be done; other errors pass.
[[nodiscard]] Error with_budget(Error error, Duration budget);
// A bug in a scaler, or no memory: this query fails, the process and every other query go on.
[[nodiscard]] Error internal_error(std::string_view what);
// Errc::out_of_range when an HPA cannot read the sum of the readings, which it makes of them.
[[nodiscard]] std::optional<Error> sum_error(std::span<const Reading> readings);
// "; this namespace has a, b, ...": the metrics of a namespace, for one that it does not have.
[[nodiscard]] std::string listed_metrics(std::span<const std::string_view> names);

}  // namespace weir::scalers::read
