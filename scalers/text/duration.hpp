// Durations in the notation of Go: numbers with units, one after the other ("1m30s"). Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <optional>
#include <string_view>

namespace weir::scalers {

// Removes the number at the start of `text` and returns it: digits with at most one decimal point.
// nullopt without a digit.
[[nodiscard]] std::optional<double> take_number(std::string_view& text);

// Removes the unit at the start of `text` and returns it: everything before the next digit or
// point; may be empty.
[[nodiscard]] std::string_view take_unit(std::string_view& text);

// A duration of settings and flags, above zero, rounded to milliseconds. Units: ms, s, m, h; a
// number always has one. nullopt for anything else, and above 10^12 ms (31 years).
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

}  // namespace weir::scalers
