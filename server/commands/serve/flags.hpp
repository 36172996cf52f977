// The groups of flags of `weir serve`, each with the heading that its help has.
#pragma once

#include "server/commands/serve/options.hpp"

namespace weir::server {

// Serving certificates; an invalid value throws CLI::ValidationError with what to write instead.
void add_tls_flags(CLI::App& serve, ServeOptions& out);
// Who may call: the client CA, the front proxy and its headers.
void add_caller_flags(CLI::App& serve, ServeOptions& out);
// The kube-apiserver that reviews tokens and permissions.
void add_cluster_flags(CLI::App& serve, ServeOptions& out);
void add_log_flags(CLI::App& serve, ServeOptions& out);

}  // namespace weir::server
