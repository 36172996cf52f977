// An explanation of a metric read in JSON: what GET .../METRIC/explain answers and `weir explain -o
// json` prints. Its field names are in docs/explain.md and stay. Pure.
#pragma once

#include "scalers/explanation.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace weir::apiservice {

// `selector` as the caller wrote it.
[[nodiscard]] nlohmann::ordered_json explanation_document(const scalers::Explanation& explanation,
                                                          std::string_view selector);

// The same as text.
[[nodiscard]] std::string explanation_text(const scalers::Explanation& explanation,
                                           std::string_view selector);

// Compact, with a line end; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& document);

}  // namespace weir::apiservice
