// JSON text as Go's encoder writes them. Pure.
#pragma once

#include "scalers/reading.hpp"

#include <string>
#include <string_view>

namespace weir::apiservice {

// Appends `text` in quotes. '<', '>', '&', U+2028 and U+2029 are escaped as Go does; each byte that
// is no valid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Valid JSON with 2 blanks a level, as Go's json.Indent writes it, without a line end behind it.
[[nodiscard]] std::string indented_json(std::string_view json);

// Appends {"name":"value",...}.
void append_labels(std::string& out, const scalers::Labels& labels);

}  // namespace weir::apiservice
