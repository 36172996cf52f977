// Configuration files -> plain nodes that remember file, line and column. Strict YAML: no duplicate
// keys, one document a file, bounded depth and size. What the keys mean is for scalers/world.
#pragma once

#include "scalers/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::server {

// The documents of every file that `paths` name: a file, or a folder whose *.yaml and *.yml files
// are read in the order of their names (hidden ones are left out). Adds a problem for whatever
// cannot be read or parsed.
[[nodiscard]] std::vector<scalers::Node> load_config(const std::vector<std::string>& paths,
                                                     scalers::Problems& problems);

// One document from `text`; `file` names it in marks.
[[nodiscard]] scalers::Node parse_yaml(std::string_view text,
                                       const std::string& file,
                                       scalers::Problems& problems);

}  // namespace weir::server
