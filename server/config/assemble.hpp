// Builds a World from configuration files of which some may have problems: with ConfigErrors::skip
// a file with problems is left out, or its last valid version is used, so that one team's mistake
// is not everybody's. Loop thread only.
#pragma once

#include "scalers/read/world.hpp"
#include "scalers/settings/node.hpp"
#include "scalers/settings/problems.hpp"
#include "server/config/files.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::server {

// What a problem in one of several files means.
enum class ConfigErrors { fail, skip };

// The policy of a flag that may be absent: with one file its problems are those of everything.
[[nodiscard]] ConfigErrors policy_for(std::optional<ConfigErrors> flag, std::size_t file_count);

// The texts of files that were valid, by path.
using ValidTexts = std::map<std::string, std::string>;

// What has become of each configuration file.
enum class FileUse {
  current,     // as it is
  last_valid,  // its last valid version
  skipped,     // not at all: reads of what it names are errors
};
using FileUses = std::map<std::string, FileUse>;  // by path

struct Assembly {
  std::unique_ptr<scalers::World> world;  // null: nothing can be used
  FileUses uses;                          // empty without a World
  scalers::Problems problems;             // of the files as they are
};

// Builds a World of documents, with those that are skipped.
using BuildWorld =
    std::function<std::unique_ptr<scalers::World>(const std::vector<scalers::Node>& documents,
                                                  const std::vector<scalers::Node>& skipped,
                                                  scalers::Problems& problems)>;

[[nodiscard]] Assembly assemble(ParsedConfig parsed,
                                ConfigErrors policy,
                                const ValidTexts& last_valid,
                                const BuildWorld& build);

// The texts to keep for the next assembly: also that of a single file, which may be one of several
// then.
[[nodiscard]] ValidTexts valid_texts(std::vector<ConfigFile> files,
                                     const FileUses& uses,
                                     ValidTexts last_valid);

}  // namespace weir::server
