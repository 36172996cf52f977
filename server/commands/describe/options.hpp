// The options of `weir describe`.
#pragma once

#include "server/commands/command.hpp"

#include <string>

namespace weir::server {

struct DescribeOptions {
  std::string kind;         // empty: all
  bool is_example = false;  // only its configuration example; needs `kind`
  Output output = Output::text;
};

CLI::App& add_command(CLI::App& program, DescribeOptions& out);
[[nodiscard]] std::string complete(DescribeOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const DescribeOptions& options);

}  // namespace weir::server
