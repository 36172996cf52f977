// The paths of credentials and certificates in a parsed configuration, wherever its backends have
// them: `{file: PATH}`, and ca, certificate and key of a tls block.
#pragma once

#include "scalers/settings/node.hpp"

#include <string>
#include <vector>

namespace weir::server {

// Makes each relative path absolute: it starts in the folder of its configuration file, so that a
// folder of files works from wherever a command is run, and a message shows where it looked.
void resolve_local_files(std::vector<scalers::Node>& documents);

// Replaces the paths by `path`, a file that exists: for commands that read no credentials.
void ignore_local_files(std::vector<scalers::Node>& documents, const std::string& path);

// A file that exists on every Linux; it is small and not empty.
inline constexpr const char* kReadableFile = "/proc/version";

}  // namespace weir::server
