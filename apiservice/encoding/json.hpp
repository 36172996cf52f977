// JSON text as Go's encoder writes it. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends `text` in quotes. '<', '>', '&', U+2028 and U+2029 are escaped as Go does; each
// invalid UTF-8 byte becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// `json`, which is valid, with 2 spaces per level as Go's json.Indent writes it, without a line
// end.
[[nodiscard]] std::string indented_json(std::string_view json);

// Appends {"name":"value",...}.
void append_labels(std::string& out, const scalers::Labels& labels);

}  // namespace weir::apiservice
