// The options of `weir get`.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "server/commands/command.hpp"

#include <string>
#include <vector>

namespace weir::server {

struct GetOptions {
  std::vector<std::string> config;
  Target target;
  std::string selector;
  Output output = Output::text;              // json or yaml: the response of the API
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, GetOptions& out);
[[nodiscard]] std::string complete(GetOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const GetOptions& options);

}  // namespace weir::server
