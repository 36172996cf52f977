// Parses YAML text to plain nodes with file, line and column. Strict: no duplicate keys, one
// document in a text, bounded depth and size. yaml-cpp stays in this folder. Pure.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <string_view>

namespace weir::server {

// One document from `text`; `file` names it in marks. `readable`, if any, gets what comes before
// the place where the text is not YAML any more.
[[nodiscard]] scalers::Node parse_yaml(std::string_view text,
                                       const std::string& file,
                                       scalers::Problems& problems,
                                       scalers::Node* readable = nullptr);

}  // namespace weir::server
