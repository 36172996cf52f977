// From the words of the command line to the command they name, with its options.
#pragma once

#include "server/commands/command.hpp"

#include <memory>
#include <variant>

namespace weir::server {

// The command to run; or, after printing the help or the problem, the exit code.
[[nodiscard]] std::variant<std::unique_ptr<Command>, ExitCode>
parse_command_line(int argc, const char* const* argv, const Environment& environment);

}  // namespace weir::server
