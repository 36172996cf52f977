// Kubernetes' canonical decimal-SI text of a number: 1500 -> `1500`, 1.5 -> `1500m`, 1e6 -> `1M`.
// And back. Pure functions over doubles; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends `value`; scalers::is_representable(value) must hold, as it does for every Reading. An
// integral double is printed exactly. Any other one is rounded from its 15 significant decimal
// digits, away from zero: to thousandths, and below 1 to three digits but never finer than 1n
// (`934m`, `256u`). So only zero (and -0.0) gives `0`, and Kubernetes' MilliValue() is that of the
// exact number. Allocates only when `out` grows.
void append_quantity(std::string& out, double value);

// The same text as a new string.
[[nodiscard]] std::string quantity(double value);

// `value` for people: six significant digits (0.933333), and all of a whole number (1234567).
[[nodiscard]] std::string decimal(double value);

// The number of a quantity such as `1500m`, `2k`, `1Ki` or `3e2`; nullopt when it is
// invalid.
[[nodiscard]] std::optional<double> parse_quantity(std::string_view text);

}  // namespace weir::apiservice
