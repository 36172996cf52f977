// The flags of `weir doctor`, split off options.cpp.
#pragma once

#include "server/commands/options.hpp"

#include <string>

namespace CLI {
class App;
}

namespace weir::server {

// Adds the command; `format` gets what -o says. A wrong value throws CLI::ValidationError with what
// to write instead.
void add_doctor(CLI::App& app, DoctorOptions& out, std::string& format);

}  // namespace weir::server
