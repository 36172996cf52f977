// The environment of the process, read once and only here.
#pragma once

#include "server/commands/command.hpp"

namespace weir::server {

// Call it before the first thread starts, as getenv() requires.
[[nodiscard]] Environment read_environment();

// The paths in `text`, which has colons between them as PATH and KUBECONFIG do; empty ones are left
// out.
[[nodiscard]] std::vector<std::string> split_paths(const std::string& text);

}  // namespace weir::server
