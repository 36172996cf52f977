// The flags of `weir record`, split off options.cpp.
#pragma once

#include "server/commands/options.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weir::server {

// Adds the command. A wrong value throws CLI::ValidationError with what to write instead.
void add_record(CLI::App& app, RecordOptions& out);
// What flags that do not go together want instead; empty: they do.
[[nodiscard]] std::string mistake_in(const RecordOptions& options);

}  // namespace weir::server
