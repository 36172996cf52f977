// Every flag and environment variable of the program, read once and only here. The serving flags
// have the names and meanings of the API servers of Kubernetes.
#pragma once

#include "scalers/deadline.hpp"
#include "server/tls/serving.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::server {

// The exit code of the process.
enum class ExitCode {
  ok = 0,
  failed = 1,          // the configuration has problems, or the server cannot start or continue
  usage = 2,           // the command line is invalid
  read_failed = 3,     // `check --live`, `get` or `explain`: a metric could not be read
  problems_found = 4,  // `doctor`: there is an error or, with --strict, a warning
};

struct ServeOptions {
  std::vector<std::string> config;
  bool logs_json = false;
  int verbosity = 0;  // 0 to 10
  bool is_standalone = false;
  std::string bind_address = "0.0.0.0";
  std::uint16_t secure_port = 443;
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
};

struct CheckOptions {
  std::vector<std::string> config;
  bool is_live = false;
};

struct GetOptions {
  std::vector<std::string> config;
  std::string name_space;
  std::string metric;
  std::string selector;
  bool is_json = false;
};

struct ExplainOptions {
  std::vector<std::string> config;
  std::string name_space;
  std::string metric;
  std::string selector;
  std::string hpa;         // empty: none
  std::string kubeconfig;  // required with `hpa`
  bool is_json = false;
};

struct DescribeOptions {
  std::string kind;  // empty: all
  bool is_markdown = false;
};

struct DoctorOptions {
  std::string kubeconfig;
  std::vector<std::string> config;  // empty: only discovery is used
  std::string server;               // HOST:PORT
  std::string service;              // NAMESPACE/NAME
  std::string service_account;      // NAMESPACE/NAME
  bool is_json = false;
  bool is_strict = false;
  std::string kubeconfig_variable;  // KUBECONFIG of the environment
  std::string home;                 // HOME of the environment
  std::string kubernetes_service_host;
  std::string kubernetes_service_port;
};

struct RecordOptions {
  std::vector<std::string> targets;  // NAMESPACE/METRIC, optionally with ?SELECTOR
  std::vector<std::string> config;   // empty: metrics are read from the kube-apiserver
  std::string kubeconfig;
  std::vector<std::string> hpas;  // NAMESPACE/NAME
  Duration interval{5'000};
  Duration duration{0};  // 0: until a signal
  std::string csv = "weir-record.csv";
  std::string html = "weir-record.html";
};

struct VersionOptions {};

using Command = std::variant<ServeOptions,
                             CheckOptions,
                             GetOptions,
                             ExplainOptions,
                             DescribeOptions,
                             DoctorOptions,
                             RecordOptions,
                             VersionOptions>;

// The command to run; or, after printing the help or the problem, the exit code.
[[nodiscard]] std::variant<Command, ExitCode> parse_options(int argc, const char* const* argv);

}  // namespace weir::server
