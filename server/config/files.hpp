// Configuration files: found, read and parsed into nodes that remember file, line and column. What
// the keys mean is for scalers/read/world.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <string>
#include <vector>

namespace weir::server {

// A file of a configuration, read and not yet parsed.
struct ConfigFile {
  std::string path;
  std::string text;

  friend bool operator==(const ConfigFile&, const ConfigFile&) = default;
};

struct ConfigFiles {
  std::vector<ConfigFile> files;
  scalers::Problems problems;  // of what cannot be read
};

// Every file that `paths` name: a file, or a folder whose *.yaml and *.yml files are read in the
// order of their names (hidden ones are left out).
[[nodiscard]] ConfigFiles read_config(const std::vector<std::string>& paths);

// What stands for the files where their texts would be too much to keep: the path and SHA-256 of
// each.
[[nodiscard]] std::string digest_of(const ConfigFiles& config);

// The documents of the files. Adds a problem for whatever could not be read or cannot be parsed.
[[nodiscard]] std::vector<scalers::Node> parse_config(const ConfigFiles& config,
                                                      scalers::Problems& problems);

}  // namespace weir::server
