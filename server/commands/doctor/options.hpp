// The flags of `weir doctor`. Apart from options.cpp because of its length.
#pragma once

#include "server/commands/options.hpp"

#include <string>

namespace CLI {
class App;
}

namespace weir::server {

// Adds the command; `format` receives the value of -o. An invalid value throws CLI::ValidationError
// with what to write instead.
void add_doctor(CLI::App& app, DoctorOptions& out, std::string& format);

}  // namespace weir::server
