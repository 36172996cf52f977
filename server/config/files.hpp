// Finds and reads configuration files and parses them into nodes with file, line and column. The
// meaning of the keys is in scalers/read/world.
#pragma once

#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace weir::server {

// The text of a configuration file.
struct ConfigFile {
  std::string path;
  std::string text;

  friend bool operator==(const ConfigFile&, const ConfigFile&) = default;
};

struct ConfigFiles {
  std::vector<ConfigFile> files;
  scalers::Problems problems;  // files that cannot be read
};

// Every file that `paths` name: a file, or a folder whose *.yaml and *.yml files are read in the
// order of their names; hidden files are skipped.
[[nodiscard]] ConfigFiles read_config(const std::vector<std::string>& paths);

// Identifies the files: path and SHA-256 of each, and those that cannot be read. The texts are not
// kept, because they may be large.
[[nodiscard]] std::string fingerprint_of(const ConfigFiles& config);

// The files as documents, in which relative paths of credentials and certificates start at their
// file.
struct ParsedConfig {
  std::vector<scalers::Node> documents;
  // What can be read of each file without a document; its mark has the path.
  std::vector<scalers::Node> broken;
  scalers::Problems problems;
  std::map<std::string, std::size_t> hashes = {};  // of the texts, by path
};
[[nodiscard]] ParsedConfig parse_files(const ConfigFiles& config);

// The documents of the files. Adds a problem for each file that cannot be read or parsed.
[[nodiscard]] std::vector<scalers::Node> parse_config(const ConfigFiles& config,
                                                      scalers::Problems& problems);

}  // namespace weir::server
