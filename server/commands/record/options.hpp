// The options of `weir record`.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "scalers/deadline.hpp"
#include "server/commands/command.hpp"

#include <string>
#include <vector>

namespace weir::server {

struct RecordOptions {
  std::vector<std::string> targets;  // NAMESPACE/METRIC, optionally with ?SELECTOR
  std::vector<std::string> config;   // empty: metrics are read from the kube-apiserver
  std::string kubeconfig;
  std::vector<std::string> hpas;  // NAMESPACE/NAME
  Duration interval{5'000};
  Duration duration{0};  // 0: until a signal
  std::string csv = "weir-record.csv";
  std::string html = "weir-record.html";
  std::string csv_wide;                      // empty: none
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, RecordOptions& out);
[[nodiscard]] std::string complete(RecordOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const RecordOptions& options);

}  // namespace weir::server
