// The flags of `weir record`. Apart from options.cpp because of its length.
#pragma once

#include "server/commands/options.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weir::server {

// Adds the command. An invalid value throws CLI::ValidationError with what to write instead.
void add_record(CLI::App& app, RecordOptions& out);
// The problem of a combination of flags; empty when it is valid.
[[nodiscard]] std::string problem_in(const RecordOptions& options);

}  // namespace weir::server
