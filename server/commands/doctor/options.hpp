// The options of `weir doctor`.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "server/commands/command.hpp"

#include <string>
#include <vector>

namespace weir::server {

struct DoctorOptions {
  std::string kubeconfig;
  std::vector<std::string> config;  // empty: only discovery is used
  std::string server;               // HOST:PORT
  std::string service;              // NAMESPACE/NAME
  std::string service_account;      // NAMESPACE/NAME
  Output output = Output::text;
  bool is_strict = false;
  std::string kubeconfig_variable;  // KUBECONFIG of the environment
  std::string home;                 // HOME of the environment
  std::string kubernetes_service_host;
  std::string kubernetes_service_port;
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, DoctorOptions& out);
[[nodiscard]] std::string complete(DoctorOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const DoctorOptions& options);

}  // namespace weir::server
