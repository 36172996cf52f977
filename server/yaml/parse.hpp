// Parses YAML text to plain nodes with file, line and column. Strict: no duplicate keys, one
// document in a text, bounded depth and size. yaml-cpp stays in this folder. Pure.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <string_view>

namespace weir::server {

// One document from `text`; `file` names it in marks.
[[nodiscard]] scalers::Node parse_yaml(std::string_view text,
                                       const std::string& file,
                                       scalers::Problems& problems);

}  // namespace weir::server
