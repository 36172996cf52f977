// The options of `weir serve`. The flags have the names and meanings of the API servers of
// Kubernetes.
#pragma once

#include "scalers/clients/tokens/variables.hpp"
#include "scalers/deadline.hpp"
#include "server/commands/command.hpp"
#include "server/config/assemble.hpp"
#include "server/tls/serving.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::server {

struct ServeOptions {
  std::vector<std::string> config;
  std::optional<ConfigErrors> config_errors;  // nullopt: by the number of files
  bool logs_json = false;
  int verbosity = 0;  // 0 to 10
  bool is_standalone = false;
  std::string bind_address = "0.0.0.0";
  std::uint16_t secure_port = 443;
  std::uint16_t healthz_port = 0;  // 0: none
  std::string tls_cert_file;
  std::string tls_private_key_file;
  std::vector<NamedPair> tls_sni_pairs;
  TlsSettings tls;
  std::string cert_dir = "apiserver.local.config/certificates";
  std::uint32_t max_requests_in_flight = 400;
  std::size_t max_parameter_sets = 1000;  // with a last value on /metrics; 0: none
  Duration shutdown_delay{0};
  std::string client_ca_file;
  std::string requestheader_client_ca_file;
  std::vector<std::string> requestheader_allowed_names;
  std::vector<std::string> requestheader_username_headers{"x-remote-user"};
  std::vector<std::string> requestheader_group_headers{"x-remote-group"};
  std::vector<std::string> requestheader_extra_headers_prefix{"x-remote-extra-"};
  std::vector<std::string> requestheader_uid_headers;

  // The options below apply only without --standalone.
  std::string kubeconfig;                 // default of the next two
  std::string authentication_kubeconfig;  // TokenReviews and the ConfigMap
  std::string authorization_kubeconfig;   // SubjectAccessReviews
  bool skips_lookup = false;              // the ConfigMap is not read
  bool tolerates_lookup_failure = false;  // /readyz does not wait for the ConfigMap
  std::vector<std::string> api_audiences;
  Duration token_cache_ttl{10'000};
  Duration authorized_cache_ttl{10'000};
  Duration unauthorized_cache_ttl{10'000};
  std::vector<std::string> always_allow_paths{"/healthz", "/readyz", "/livez"};
  std::string kubernetes_service_host;  // from the environment; set in every pod
  std::string kubernetes_service_port;
  scalers::IdentityVariables identity;       // of the environment, for logins of backends
  scalers::clients::ProxyVariables proxies;  // of the environment
};

CLI::App& add_command(CLI::App& program, ServeOptions& out);
[[nodiscard]] std::string complete(ServeOptions& options, const Environment& environment);
[[nodiscard]] ExitCode run(const ServeOptions& options);

}  // namespace weir::server
