// An explanation of a metric read in JSON: what GET .../METRIC/explain answers and `weir explain -o
// json` prints. Its field names are in docs/explain.md and stay. Pure.
#pragma once

#include "scalers/explanation.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

// A compact document with a line end; bytes that are no UTF-8 become U+FFFD. `selector` as the
// caller wrote it.
[[nodiscard]] std::string explanation_text(const scalers::Explanation& explanation,
                                           std::string_view selector);

}  // namespace weir::apiservice
