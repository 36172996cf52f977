// The options of `weir explain`.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "server/commands/command.hpp"

#include <string>
#include <vector>

namespace weir::server {

struct ExplainOptions {
  std::vector<std::string> config;
  Target target;
  std::string selector;
  std::string hpa;         // empty: none
  std::string kubeconfig;  // required with `hpa`
  Output output = Output::text;
  bool is_verbose = false;
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, ExplainOptions& out);
[[nodiscard]] std::string complete(ExplainOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const ExplainOptions& options);

}  // namespace weir::server
