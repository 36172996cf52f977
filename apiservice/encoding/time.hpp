// UTC times as RFC 3339 texts with whole seconds, as Kubernetes' metav1.Time writes them. Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends "YYYY-MM-DDTHH:MM:SSZ": parts of a second are cut off. Allocates nothing but the
// growth of `out`.
void append_rfc3339(std::string& out, WallTime time);

// The same text as a string of its own.
[[nodiscard]] std::string rfc3339(WallTime time);

// The time of a text such as `2026-11-22T06:40:01Z`; nullopt for a fraction of a second, another
// zone, a date that no calendar has, and a time that WallTime cannot hold.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace weir::apiservice
