// JSON as YAML, for -o yaml. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace weir::server {

// Block style with the keys in the order of `value`, as kubectl -o yaml prints objects. A string
// that YAML would read as something else is in quotes.
[[nodiscard]] std::string yaml_text(const nlohmann::ordered_json& value);

}  // namespace weir::server
