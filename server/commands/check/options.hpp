// The options of `weir check`.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "server/commands/command.hpp"

#include <string>
#include <vector>

namespace weir::server {

struct CheckOptions {
  std::vector<std::string> config;
  bool is_live = false;
  bool has_no_credentials = false;  // their files are not looked at
  std::string selector;             // with is_live
  Output output = Output::text;
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, CheckOptions& out);
[[nodiscard]] std::string complete(CheckOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const CheckOptions& options);

}  // namespace weir::server
