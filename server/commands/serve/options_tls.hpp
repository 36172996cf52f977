// The flags of the serving certificates. Apart from options.cpp because of its length.
#pragma once

#include "server/commands/options.hpp"

namespace CLI {
class App;
}

namespace weir::server {

// Adds them to `weir serve`; an invalid value throws CLI::ValidationError with what to write
// instead.
void add_tls_flags(CLI::App& serve, ServeOptions& out);

}  // namespace weir::server
