// The options of `weir version`.
#pragma once

#include "server/commands/command.hpp"

#include <string>

namespace weir::server {

struct VersionOptions {
  Output output = Output::text;
};

CLI::App& add_command(CLI::App& program, VersionOptions& out);
[[nodiscard]] std::string complete(VersionOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const VersionOptions& options);

}  // namespace weir::server
