// UTC times as RFC 3339 texts with whole seconds, as Kubernetes' metav1.Time writes them. Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends "YYYY-MM-DDTHH:MM:SSZ"; fractions of a second are truncated. Allocates only when `out`
// grows.
void append_rfc3339(std::string& out, WallTime time);

// The same text as a new string.
[[nodiscard]] std::string rfc3339(WallTime time);

// The time of a text such as `2026-11-22T06:40:01Z`; nullopt for a fraction of a second, another
// zone, an invalid date, and a time beyond the range of WallTime.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace weir::apiservice
