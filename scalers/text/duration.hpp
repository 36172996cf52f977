// Durations as people and Go write them: numbers, each with its unit, one after the other
// ("1m30s"). Pure.
#pragma once

#include "scalers/deadline.hpp"

#include <optional>
#include <string_view>

namespace weir::scalers {

// Takes the number in front off `text`: digits, with one point before, among or after them. nullopt
// without a digit.
[[nodiscard]] std::optional<double> take_number(std::string_view& text);

// Takes the unit in front off `text`: everything before the next digit or point; may be empty.
[[nodiscard]] std::string_view take_unit(std::string_view& text);

// A duration of settings and flags, above zero, rounded to milliseconds. Units: ms, s, m, h; a
// number always has one. nullopt for anything else, and above 10^12 ms (31 years).
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

}  // namespace weir::scalers
