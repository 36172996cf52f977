// The paths of credentials and certificates in a parsed configuration, wherever its backends have
// them: a setting or header whose value is `{file: PATH}`, and ca, certificate and key of a tls
// block.
#pragma once

#include "scalers/settings/node.hpp"

#include <string>
#include <vector>

namespace weir::server {

// Makes each relative path absolute: it starts in the folder of its configuration file, so that a
// folder of files works from wherever a command is run, and a message shows where it looked.
void resolve_local_files(std::vector<scalers::Node>& documents);

}  // namespace weir::server
